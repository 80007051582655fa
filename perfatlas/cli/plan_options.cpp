// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/plan_options.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/models/model.h"

namespace perfatlas {
namespace {

void check_degrees(const std::vector<std::unique_ptr<Model>>& models, const std::vector<int64_t>& degrees) {
  for (const int64_t tp : degrees) {
    std::string why;
    for (const auto& model : models) {
      why = model->why_not_tp(tp);
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
    models.push_back(find_model(name, model_libraries(), ops));
    views.push_back(models.back().get());
  }
  check_degrees(models, options.tp);
  return shapes_of(views, options.tp);
}

}  // namespace

void add_plan_options(CLI::App& verb, PlanOptions& o) {
  const char* group = "Which cases";
  verb.add_option("--ops", o.ops, "Ops to measure; default: all that have kernels")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--grid", o.grid, "model: shapes of real models; aic: the published aiconfigurator grid")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--model", o.models, "Model name, folder or config.json, for --grid model; may be repeated")
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
  verb.add_option("--limit", o.limit, "At most so many cases per op; 0: all")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--shard", o.shard, "i/n: the i-th of n parts that together hold every case once")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--shuffle", o.seed, "Seed of the order inside a level")
      ->capture_default_str()
      ->group(group);
}

Plan plan_from(const PlanOptions& o, const OpRegistry& ops) {
  PlanRequest request;
  request.ops = o.ops;
  const auto grid = from_name<GridKind>(o.grid);
  if (!grid) throw UsageError(fmt::format("--grid '{}' is neither model nor aic", o.grid));
  request.grid = *grid;
  if (request.grid == GridKind::model) request.shapes = model_shapes(o, ops);
  if (o.sm_version < 10)
    throw UsageError(fmt::format("--sm {} is no GPU generation like 80, 90 or 100", o.sm_version));
  request.aic.sm_version = o.sm_version;
  request.case_filters = o.case_filters;
  request.limit_per_op = o.limit;
  request.shard = parse_shard(o.shard);
  request.seed = o.seed;
  return make_plan(ops, request);
}

}  // namespace perfatlas
