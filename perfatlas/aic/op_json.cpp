// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/op_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "perfatlas/aic/json_fields.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas::aic {
namespace {

/// What JSON says in other words than the members do.
void read_first(JsonFields&, auto&) {}

void read_first(JsonFields& f, DsaModule& op) {
  f.required("gemm_quant_mode", op.gemm_quant);
  op.use_for_projections(op.gemm_quant);
  int64_t every = 1;  // layers per indexer
  f.optional("index_topk_freq", every);
  if (every < 1) f.wrong("index_topk_freq", "a positive integer");
  op.full_fraction = 1 / double(every);
}

void read_first(JsonFields& f, WideEpMla& op) {
  f.required("tp_size", op.tp_size);
  if (op.tp_size < 1 || kLatentTableHeads % op.tp_size != 0)
    f.wrong("tp_size", fmt::format("a divisor of {}", kLatentTableHeads));
}

void read_first(JsonFields& f, ElementWise& op) {
  if (f.optional("bytes_per_token", op.bytes_per_token)) return;
  double inputs = 0, outputs = 0;
  f.required("dim_in", inputs);
  f.required("dim_out", outputs);
  op.bytes_per_token = 2 * inputs + 2 * outputs;
}

/// {"op": NAME, "ctor": {...}} or, of composed ops, {"op": NAME, their groups}.
Op nested(const nlohmann::json& object) {
  JsonFields f("an op inside another", object);
  std::string name;
  f.required("op", name);
  const nlohmann::json* fields = f.find("ctor");
  return op_from_json(name, fields != nullptr ? *fields : object);
}

std::vector<Op> read_group(JsonFields& f, std::string_view name) {
  const nlohmann::json* group = f.find(name);
  if (group == nullptr) return {};
  std::vector<Op> ops;
  if (group->is_array())
    for (const nlohmann::json& op : *group) ops.push_back(nested(op));
  else
    ops.push_back(nested(*group));
  return ops;
}

void read(JsonFields& f, Overlap& op) {
  op.group_a = read_group(f, "group_a");
  op.group_b = read_group(f, "group_b");
}

void read(JsonFields& f, Fallback& op) {
  op.primary = read_group(f, "primary");
  op.fallback = read_group(f, "fallback");
}

template <class T>
void read(JsonFields& f, T& op) {
  f.optional("scale_factor", op.scale_factor);
  read_first(f, op);
  T::fields(op, f);
}

template <class T>
void read_op(std::string_view name, const nlohmann::json& fields, T& op) {
  JsonFields f(name, fields);
  f.ignored("op");
  f.optional("name", op.name);
  read(f, op);
  f.finish();
}

/// A class of aiconfigurator, or a pass of quantisation, which it keeps inside GEMM.
struct OpClass {
  std::string_view name;
  bool (*is)(const Op& op);
  Op (*read)(std::string_view name, const nlohmann::json& fields);
};

template <class T>
constexpr OpClass plain(std::string_view name) {
  return {name, [](const Op& op) { return std::holds_alternative<T>(op.value); },
          [](std::string_view called, const nlohmann::json& fields) {
            Op op;
            read_op(called, fields, op.value.emplace<T>());
            return op;
          }};
}
/// Ops that are one type here and one class per phase there.
template <class T, bool context>
constexpr OpClass of_phase(std::string_view name) {
  return {name,
          [](const Op& op) {
            const T* value = std::get_if<T>(&op.value);
            return value != nullptr && value->context == context;
          },
          [](std::string_view called, const nlohmann::json& fields) {
            Op op;
            T& value = op.value.emplace<T>();
            value.context = context;
            read_op(called, fields, value);
            return op;
          }};
}

template <Quantize::Pass pass>
constexpr OpClass of_pass(std::string_view name) {
  return {name,
          [](const Op& op) {
            const Quantize* value = std::get_if<Quantize>(&op.value);
            return value != nullptr && value->pass == pass;
          },
          [](std::string_view called, const nlohmann::json& fields) {
            Op op;
            Quantize& value = op.value.emplace<Quantize>();
            value.pass = pass;
            read_op(called, fields, value);
            return op;
          }};
}

constexpr std::array<OpClass, 34> kClasses{
    {of_pass<Quantize::Pass::find_scale>("ComputeScale"),
     plain<ContextAttention>("ContextAttention"),
     of_phase<DsaModule, true>("ContextDSAModule"),
     of_phase<Dsv4Attention, true>("ContextDeepSeekV4AttentionModule"),
     plain<ContextMla>("ContextMLA"),
     of_phase<MsaModule, true>("ContextMSAModule"),
     plain<CustomAllReduce>("CustomAllReduce"),
     plain<Mhc>("DeepSeekV4MHCModule"),
     plain<MegaMoe>("DeepSeekV4MegaMoEModule"),
     plain<ElementWise>("ElementWise"),
     plain<Embedding>("Embedding"),
     plain<EncoderAttention>("EncoderAttention"),
     plain<Fallback>("FallbackOp"),
     plain<Gdn>("GDNKernel"),
     plain<Gemm>("GEMM"),
     plain<GenerationAttention>("GenerationAttention"),
     of_phase<DsaModule, false>("GenerationDSAModule"),
     of_phase<Dsv4Attention, false>("GenerationDeepSeekV4AttentionModule"),
     plain<GenerationMla>("GenerationMLA"),
     of_phase<MsaModule, false>("GenerationMSAModule"),
     plain<Kda>("KDAKernel"),
     plain<MlaBmm>("MLABmm"),
     plain<MlaModule>("MLAModule"),
     plain<Mamba2>("Mamba2Kernel"),
     plain<Moe>("MoE"),
     plain<MoeAllToAll>("MoEAllToAll"),
     plain<MoeDispatch>("MoEDispatch"),
     plain<ExpertCompute>("MoEExpertCompute"),
     plain<Nccl>("NCCL"),
     plain<Overlap>("OverlapOp"),
     plain<P2p>("P2P"),
     of_pass<Quantize::Pass::apply_scale>("ScaleMatrix"),
     of_phase<WideEpMla, true>("WideEPContextMLA"),
     of_phase<WideEpMla, false>("WideEPGenerationMLA")}};

}  // namespace

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const OpClass& known : kClasses) names.push_back(known.name);
  return names;
}

std::string_view op_name(const Op& op) {
  const auto known =
      std::find_if(kClasses.begin(), kClasses.end(), [&](const OpClass& c) { return c.is(op); });
  PERFATLAS_ASSERT(known != kClasses.end());
  return known->name;
}

Op op_from_json(std::string_view name, const nlohmann::json& fields) {
  const auto known =
      std::find_if(kClasses.begin(), kClasses.end(), [&](const OpClass& c) { return c.name == name; });
  if (known == kClasses.end())
    throw UsageError(fmt::format("there is no op '{}'; ops are {}", name, join_words(op_names())));
  return known->read(known->name, fields);
}

PhasePoint phase_point_from_json(const nlohmann::json& question) {
  JsonFields f("the question", question);
  PhasePoint at;
  f.optional("is_context", at.context);
  f.optional("batch_size", at.batch);
  f.optional("s", at.s);
  f.optional("prefix", at.prefix);
  f.optional("imbalance", at.imbalance);
  at.tokens = at.context ? at.batch * at.s : at.batch;
  f.optional("x", at.tokens);
  return at;
}

}  // namespace perfatlas::aic
