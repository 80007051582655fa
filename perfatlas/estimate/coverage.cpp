// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "perfatlas/aic/table_fields.h"
#include "perfatlas/base/error.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

using Mode = aic::QuantMode;

struct FmhaTable {
  std::string_view op, type_column;
};

std::vector<FmhaTable> prefill_tables(const ServedModel& model, Framework framework) {
  const Family family = model.family();
  const bool latent = family == Family::deepseek || family == Family::kimi_k25 || family == Family::kimi_k3;
  if (family == Family::deepseek_v4)
    return {{"dsv4_csa_context_module", "mla_dtype"}, {"dsv4_hca_context_module", "mla_dtype"}};
  if (family == Family::deepseek_v32) return {{"dsa_context_module", "mla_dtype"}};
  if (latent && framework != Framework::vllm)
    return {{"mla_context", "mla_dtype"}, {"mla_context_module", "mla_dtype"}};
  return {{"attention_context", "attn_dtype"}};
}

void add_types(const TableRows& rows, std::string_view type_column, std::optional<Mode> kv,
               std::vector<Mode>& types) {
  if (rows.empty()) return;
  const aic::TableFields fields(rows, {type_column, "kv_cache_dtype"});
  for (uint32_t row = 0; row < rows.size(); ++row) {
    if (kv && fields.mode_of(1, fields(row, 1)) != kv) continue;
    const auto type = fields.mode_of(0, fields(row, 0));
    if (type && std::find(types.begin(), types.end(), *type) == types.end()) types.push_back(*type);
  }
}

/// All-to-all libraries, in the order in which they are preferred.
struct Library {
  std::string_view name;
  bool trtllm, sglang, vllm;
  bool context, generation;
  int min_sm = 0;
  bool serves(Framework framework) const {
    return framework == Framework::trtllm ? trtllm : framework == Framework::sglang ? sglang : vllm;
  }
};
constexpr Library kLibraries[] = {
    {"deepep_ht", false, true, true, true, false},
    {"deepep_ll", false, true, true, false, true},
    {"deepep_v2_context", false, false, true, true, false},
    {"deepep_v2_generation", false, false, true, false, true},
    {"trtllm_deepep_ht", true, false, false, true, false},
    {"trtllm_deepep_ll", true, false, false, false, true},
    {"nvlink_two_sided", true, false, false, true, true, 100},
    {"nvlink_one_sided", true, false, false, true, true, 100},
};

/// Their kernels route a token to so many experts at most.
constexpr int64_t kMaxTopk = 8;

bool wide_graph_exists(Family family) {
  return family == Family::moe || family == Family::deepseek || family == Family::deepseek_v32 ||
         family == Family::kimi_k25;
}

bool splits_evenly(const ServedModel& model, const Parallel& ranks) {
  const ModelSizes& s = model.sizes();
  return s.topk <= kMaxTopk && ranks.expert_tp() == 1 && ranks.expert_ep() > 1 &&
         s.experts % ranks.expert_ep() == 0;
}

/// Whether communication and compute of the experts have prices with this library in this phase.
bool is_measured(const ServedModel& model, Deployment deployment, Phase phase, const Library& library,
                 const aic::View& view) {
  constexpr int64_t kProbeTokens = 16;
  (phase == Phase::context ? deployment.transport.context : deployment.transport.generation) = library.name;
  for (const bool combine : {false, true})
    if (transport_dtype(std::string(library.name), deployment, deployment.quant.moe, phase, combine).empty())
      return false;
  PhaseGraph graph(model.sizes(), deployment, phase);
  ExpertBlock block = expert_block(graph, model.family() == Family::moe ? "1.2" : "1.01");
  add_wide_expert_block(graph, block, 1, /*router=*/false);
  const aic::PhasePoint at = phase == Phase::context ? aic::PhasePoint::in_context(1, kProbeTokens)
                                                     : aic::PhasePoint::in_generation(kProbeTokens, 1024);
  for (const aic::Op& op : graph.take())
    if (!view.bind(op).price(at).ok()) return false;
  return true;
}

std::string library_of(const ServedModel& model, const Deployment& deployment, Phase phase,
                       const aic::View& view, int sm_version) {
  for (const Library& library : kLibraries) {
    const bool in_phase = phase == Phase::context ? library.context : library.generation;
    if (!in_phase || !library.serves(deployment.framework) || sm_version < library.min_sm) continue;
    if (is_measured(model, deployment, phase, library, view)) return std::string(library.name);
  }
  return {};
}

}  // namespace

MeasuredFmha measured_fmha(const SystemsRoot& root, const TableRequest& request, const ServedModel& model) {
  const std::vector<FmhaTable> tables = prefill_tables(model, framework_from_name(request.backend));
  return [&root, request, tables](std::optional<Mode> kv) {
    std::vector<Mode> types;
    for (const FmhaTable& table : tables)
      add_types(*root.table_rows(root.ops().get(table.op), request), table.type_column, kv, types);
    return types;
  };
}

ExpertTransport expert_transport(const ServedModel& model, const Deployment& deployment, PhasesNeeded phases,
                                 const aic::View& view, bool within_node) {
  const Parallel& ranks = deployment.parallel;
  const bool spans = model.has_experts() && ranks.expert_ep() > deployment.gpus_per_node;
  if (!model.has_experts() || ranks.expert_ep() <= 1 || (!spans && !within_node)) return {};
  if (spans && ranks.expert_tp() != 1)
    throw UsageError(
        fmt::format("experts over {} nodes are whole: ep {} needs --etp 1 instead of {}",
                    (ranks.expert_ep() + deployment.gpus_per_node - 1) / deployment.gpus_per_node,
                    ranks.expert_ep(), ranks.expert_tp()));
  const bool possible = wide_graph_exists(model.family()) && splits_evenly(model, ranks) &&
                        (deployment.framework != Framework::trtllm || ranks.dp > 1);
  ExpertTransport transport;
  if (possible && phases.context)
    transport.context = library_of(model, deployment, Phase::context, view, deployment.sm_version);
  if (possible && phases.generation)
    transport.generation = library_of(model, deployment, Phase::generation, view, deployment.sm_version);
  const bool complete = (!phases.context || !transport.context.empty()) &&
                        (!phases.generation || !transport.generation.empty());
  if (complete) return transport;
  if (!spans) return {};
  throw UsageError(
      fmt::format("experts of {} over {} GPUs span nodes of {}, and their communication was not measured "
                  "for {} on {}; choose --ep of at most {}",
                  model.checkpoint().name, ranks.expert_ep(), deployment.gpus_per_node,
                  name_of(deployment.framework), deployment.system, deployment.gpus_per_node));
}

}  // namespace perfatlas::estimate
