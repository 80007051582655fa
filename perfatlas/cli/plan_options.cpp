// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/plan_options.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/share_text.h"
#include "perfatlas/models/checkpoint_types.h"
#include "perfatlas/models/model.h"
#include "perfatlas/schema/measured_state.h"

namespace perfatlas {
namespace {

void check_degrees(const std::vector<std::unique_ptr<Model>>& models, const std::vector<int64_t>& degrees) {
  for (const int64_t tp : degrees) {
    std::string why;
    for (const auto& model : models) {
      why = model->why_not({tp, tp, 1});
      if (!model->splits(tp).empty()) why.clear();
      if (why.empty()) break;
    }
    if (!why.empty()) throw UsageError(fmt::format("--tp {}: {}", tp, why));
  }
}

ModelShapes model_shapes(const PlanOptions& options, const OpRegistry& ops) {
  if (options.models.empty())
    throw UsageError("--grid model needs --model NAME_OR_DIR (or choose --grid aic)");
  std::vector<std::unique_ptr<Model>> models;
  std::vector<const Model*> views;
  for (const std::string& name : options.models) {
    models.push_back(find_model(name, model_libraries(), ops, model_options(options.dtype)));
    views.push_back(models.back().get());
  }
  check_degrees(models, options.tp);
  return shapes_of(views, options.tp);
}

/// "batch_size=8". Throws UsageError for text of another form and for a field that no op has.
FieldLimit field_limit(const std::string& text, const OpRegistry& ops) {
  const size_t at = text.find('=');
  const auto most = at == text.npos ? std::nullopt : parse_integer(std::string_view(text).substr(at + 1));
  if (!most) throw UsageError(fmt::format("--at-most '{}' is not FIELD=N, for example batch_size=8", text));
  FieldLimit limit{text.substr(0, at), *most};
  for (const auto& op : ops.ops())
    if (const auto field = op->find_field(limit.field);
        field && op->fields[*field].kind == ValueKind::integer)
      return limit;
  throw UsageError(
      fmt::format("--at-most {}: no op has a number field '{}'; see perfatlas ops", text, limit.field));
}

/// "model", "aic" (TensorRT-LLM's) or "aic-<framework>".
void set_grid(PlanRequest& request, const std::string& name) {
  constexpr std::string_view kPrefix = "aic-";
  const auto framework = name.starts_with(kPrefix) ? from_name<AicFramework>(name.substr(kPrefix.size()))
                                                   : std::optional(AicFramework::trtllm);
  const auto grid = from_name<GridKind>(name.starts_with(kPrefix) ? "aic" : name);
  if (!grid || !framework)
    throw UsageError(fmt::format("--grid '{}' is none of model, aic, aic-vllm and aic-sglang", name));
  request.grid = *grid;
  request.aic.framework = *framework;
}

/// "gemm=5%" or "gemm=0.05".
std::pair<std::string, double> op_share(const std::string& text) {
  const size_t at = text.find('=');
  if (at == text.npos)
    throw UsageError(fmt::format("--share '{}' is not OP=SHARE, for example gemm=5%", text));
  return {text.substr(0, at), parse_share("share", std::string_view(text).substr(at + 1))};
}

void set_kind(PlanRequest& request, const PlanOptions& o, const OpRegistry& ops) {
  const auto kind = from_name<PlanKind>(o.kind);
  if (!kind) throw UsageError(fmt::format("--plan '{}' is neither full nor small", o.kind));
  request.kind = *kind;
  if (*kind == PlanKind::full && !o.shares.empty())
    throw UsageError("--share belongs to --plan small; a full plan measures every case");
  for (const std::string& text : o.shares) request.small.shares.insert(op_share(text));
  std::vector<std::string> known;
  for (const auto& op : ops.ops()) known.emplace_back(op->info.id);
  check_shares(request.small, known);
  request.small.has_prior = o.has_prior;
  request.small.cache = OrderCache::of_user();
}

}  // namespace

ModelOptions model_options(const std::string& dtype) {
  if (dtype.empty()) return {};
  std::vector<std::string_view> known;
  for (const Quant type : uniform_type_choices()) {
    if (FieldCodec<Quant>::parse(dtype) == int64_t(type)) return {type};
    known.push_back(name_of(type));
  }
  throw UsageError(fmt::format("--dtype '{}' is none of {}", dtype, join_words(known)));
}

void add_plan_options(CLI::App& verb, PlanOptions& o) {
  const char* group = "Which cases";
  verb.add_option("--ops", o.ops, "Ops to measure; default: all that have kernels")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--grid", o.grid,
                  "model: shapes of real models; aic: the published aiconfigurator grid of its TensorRT-LLM "
                  "collector; aic-vllm, aic-sglang: of the others")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--model", o.models, "Model name, folder or config.json, for --grid model; may be repeated")
      ->group(group);
  verb.add_option(
          "--dtype", o.dtype,
          "Plan the models in this type instead of the checkpoint's: bfloat16, float16, float32, or a "
          "block type of llama.cpp such as q8_0")
      ->group(group);
  verb.add_option("--tp", o.tp, "Tensor-parallel degrees, emulated by local shapes on one device")
      ->capture_default_str()
      ->delimiter(',')
      ->group(group);
  verb.add_option("--sm", o.sm_version, "GPU generation whose dtypes the aic grid contains")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--case-filter", o.case_filters,
                  "Keep cases whose text contains this; repeated: any of them")
      ->group(group);
  verb.add_option(
          "--at-most", o.at_most,
          "FIELD=N: leave out cases whose field is larger, e.g. batch_size=8 or isl=4096; may be repeated")
      ->group(group);
  verb.add_option("--limit", o.limit, "At most so many cases per op; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(group);
  verb.add_option(
          "--plan", o.kind,
          "full: every case; small: of each family the share that tells the rest, spread first, then the "
          "shapes of --model")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--share", o.shares,
                  "OP=SHARE, e.g. gemm=5%: how much of each of the op's families a small plan measures")
      ->delimiter(',')
      ->group(group);
  verb.add_option(
          "--shard", o.shard,
          "i/n: the i-th of n parts that together hold every case once; i/n:j/k: the j-th of k pieces of it")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--shuffle", o.seed, "Seed of the order inside a level")
      ->capture_default_str()
      ->group(group);
}

PlanRequest plan_request(const PlanOptions& o, const OpRegistry& ops,
                         const std::optional<std::set<std::string>>& measured_here) {
  PlanRequest request;
  request.ops = o.ops;
  request.among = measured_here;
  request.imported_too = o.imported_too;
  set_grid(request, o.grid);
  for (const std::string& text : o.at_most) request.at_most.push_back(field_limit(text, ops));
  set_kind(request, o, ops);
  request.add_models =
      request.kind == PlanKind::small && request.grid != GridKind::model && !o.models.empty();
  if (request.grid == GridKind::model || request.add_models) request.shapes = model_shapes(o, ops);
  if (o.sm_version < 10)
    throw UsageError(fmt::format("--sm {} is no GPU generation like 80, 90 or 100", o.sm_version));
  request.aic.sm_version = o.sm_version;
  request.case_filters = o.case_filters;
  request.limit_per_op = o.limit;
  request.shard = parse_shard(o.shard);
  request.seed = o.seed;
  return request;
}

Plan plan_from(const PlanOptions& o, const OpRegistry& ops,
               const std::optional<std::set<std::string>>& measured_here) {
  return make_plan(ops, plan_request(o, ops, measured_here));
}

}  // namespace perfatlas
