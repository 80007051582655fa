// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas::estimate {
namespace {

/// Families whose experts need a workspace of routed tokens, in tiles of 128 tokens with 4 bytes per element.
bool has_expert_workspace(Family family) {
  switch (family) {
    case Family::gemma4:
    case Family::step3:
    case Family::deepseek:
    case Family::deepseek_v32:
    case Family::deepseek_v4:
    case Family::kimi_k25:
      return true;
    default:
      return false;
  }
}

double expert_workspace(const WorkerSizes& worker, double tokens) {
  const ServedModel& model = *worker.model;
  const ModelSizes& s = model.sizes();
  const Family family = model.family();
  if (!has_expert_workspace(family) || s.experts == 0) return 0;
  const bool hidden = rules_of(worker.deployment->framework).expands_hidden_workspace ||
                      family == Family::gemma4 || family == Family::step3;
  const double width = double(hidden ? s.hidden : s.heads * s.head_dim);
  const Parallel& ranks = worker.deployment->parallel;
  return tokens * width * double(ranks.dp * s.experts * s.topk) / double(ranks.expert_ep()) / 128 * 4;
}

double activation_bytes(const WorkerSizes& worker, const MemoryDemand& demand) {
  const Deployment& d = *worker.deployment;
  const ModelSizes& s = worker.model->sizes();
  const FrameworkRules& rules = rules_of(d.framework);
  const double tokens = double(demand.step_tokens);
  double bytes = 2 * tokens * double(s.heads * s.head_dim) *
                 activation_coefficient(d.framework, worker.model->family(), d.parallel.tp);
  bytes = std::max(bytes + expert_workspace(worker, tokens), rules.min_activation_bytes);
  if (d.drafted_tokens > 0) {
    const double factor = double(d.drafted_tokens + 1);
    if (demand.drafting_tokens && tokens > 0) {
      const double share = double(std::clamp<int64_t>(*demand.drafting_tokens, 0, demand.step_tokens));
      bytes *= (tokens - share + share * factor) / tokens;
    } else {
      bytes *= factor;
    }
  }
  return bytes * rules.activation_overhead;
}

/// Buffers of the collectives, by the next larger known number of GPUs, of at most 8.
double communication_bytes(const AicSystem& system, int64_t tp) {
  const auto at = system.nccl_mem.lower_bound(int(std::min<int64_t>(tp, 8)));
  if (at == system.nccl_mem.end())
    throw Error(
        fmt::format("{}: misc.nccl_mem has no entry for {} GPUs", system.path, std::min<int64_t>(tp, 8)));
  return at->second;
}

}  // namespace

Memory memory_of(const WorkerSizes& worker, const MemoryDemand& demand) {
  const AicSystem& system = *worker.system;
  if (!system.other_mem) throw Error(fmt::format("{}: key misc.other_mem is missing", system.path));
  Memory memory;
  memory.weights = worker.weight_bytes;
  memory.activations = activation_bytes(worker, demand);
  memory.kv_cache =
      double(demand.batch) * worker.model->kv_bytes_per_sequence(*worker.deployment, demand.sequence_tokens);
  memory.communication = communication_bytes(system, worker.deployment->parallel.tp);
  memory.other = *system.other_mem * rules_of(worker.deployment->framework).other_overhead;
  return memory;
}

double kv_budget_bytes(const Memory& memory, const CacheRule& rule, double capacity) {
  const double without_cache = memory.total() - memory.kv_cache;
  if (rule.of_free)
    return (capacity - without_cache) * rule.fraction * (1 - rule.reserved) * (1 - rule.tolerance);
  return capacity * rule.fraction * (1 - rule.tolerance) - without_cache;
}

Fit fit_of(const Memory& memory, const CacheRule& rule, double capacity) {
  if (memory.total() >= capacity) return Fit::does_not_fit;
  return memory.kv_cache > kv_budget_bytes(memory, rule, capacity) ? Fit::kv_cache_too_small : Fit::fits;
}

double capacity_bytes(const AicSystem& system) {
  if (!system.mem_capacity) throw Error(fmt::format("{}: key gpu.mem_capacity is missing", system.path));
  return *system.mem_capacity;
}

}  // namespace perfatlas::estimate
