// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/search/sweep_impl.h"

namespace perfatlas {
namespace {

constexpr double kGiB = double(int64_t(1) << 30);

const std::string& system_of(const SearchRequest& request, WorkerRole role) {
  return role == WorkerRole::decode && !request.decode_system.empty() ? request.decode_system
                                                                      : request.system;
}

estimate::PhasesNeeded phases_of(WorkerRole role) {
  return {.context = role != WorkerRole::decode, .generation = role != WorkerRole::prefill};
}

/// Expert-parallel widths beyond one node that can be deployed there: their communication was measured.
std::vector<int64_t> wide_expert_widths(const SweepContext& context, WorkerRole role, int64_t experts,
                                        int64_t gpus_per_node) {
  std::vector<int64_t> widths;
  for (int64_t width = 2 * gpus_per_node; width <= experts; width *= 2) {
    if (experts % width != 0) continue;
    try {
      const estimate::Parallel ranks{.dp = width, .moe_tp = 1, .moe_ep = width};
      if (context.session.deploy(worker_question(context, role, ranks)).transport.used())
        widths.push_back(width);
    } catch (const UsageError&) {  // not measured, or the model cannot be split so
    }
  }
  return widths;
}

/// What one request needs, beside what the GPU has.
std::string memory_shortfall(const estimate::Worker& worker, const SearchRequest& request,
                             const std::string& version) {
  const estimate::AggregatedResult one =
      run_aggregated(worker, request.workload, {.batch = 1, .context_tokens = request.workload.isl},
                     request.limits, version);
  const estimate::Memory& m = one.memory;
  return fmt::format(
      "one request needs {:.1f} GiB of {:.1f} (weights {:.1f}, KV cache {:.1f}, activations {:.1f}, "
      "other {:.1f})",
      m.total() / kGiB, estimate::capacity_bytes(worker.system()) / kGiB, m.weights / kGiB, m.kv_cache / kGiB,
      m.activations / kGiB, (m.communication + m.other) / kGiB);
}

}  // namespace

std::vector<estimate::Parallel> splits_of(const SweepContext& context, WorkerRole role) {
  const SearchRequest& request = context.request;
  const auto model = context.session.model(request.model);
  const estimate::OpenSystem& system =
      context.session.open(system_of(request, role), context.framework, request.version, request.view.mode);
  const int64_t most = request.most_worker_gpus > 0
                           ? std::min<int64_t>(request.most_worker_gpus, request.total_gpus)
                           : request.total_gpus;
  CandidateRequest candidates{
      .framework = context.framework,
      .role = role,
      .has_experts = model->has_experts(),
      .splits_prompts = context.framework == estimate::Framework::sglang && model->splits_prompts(),
      .rack_scale = system.system->gpus_per_rack.has_value(),
      .moe_backend = request.moe_backend};
  candidates.deep_pipelines =
      wants_deep_pipelines(std::string(name_of(model->family())), system.system->sm_version.value_or(0),
                           request.total_gpus, request.moe_backend);
  if (candidates.has_experts)
    candidates.wide_experts =
        wide_expert_widths(context, role, model->sizes().experts, system.system->gpus_per_node);
  return splits_within(default_candidates(candidates), candidates, most);
}

estimate::WorkerQuestion worker_question(const SweepContext& context, WorkerRole role,
                                         const estimate::Parallel& ranks) {
  const SearchRequest& request = context.request;
  return {.model = request.model,
          .system = system_of(request, role),
          .framework = context.framework,
          .version = request.version,
          .view = request.view,
          .parallel = ranks,
          .quant = request.quant,
          .drafted_tokens = request.drafted_tokens,
          .attention_backend = request.attention_backend,
          .moe_backend = request.moe_backend,
          .phases = phases_of(role),
          .searching = true};
}

std::shared_ptr<const estimate::Worker> find_worker(const SweepContext& context, WorkerRole role,
                                                    const estimate::Parallel& ranks, SearchTally& tally) {
  try {
    return context.session.worker(worker_question(context, role, ranks));
  } catch (const UsageError& error) {
    tally.refusals.push_back({ranks.label(), role, Refusal::Kind::cannot_be_split, error.what()});
    return nullptr;
  }
}

std::string why_split_gives_nothing(const estimate::Worker& worker, const SearchRequest& request,
                                    Refusal::Kind kind, const std::string& version) {
  if (kind != Refusal::Kind::no_data) return memory_shortfall(worker, request, version);
  const auto& workload = request.workload;
  const int64_t fresh = workload.isl - workload.prefix;
  if (const auto step = worker.context_step(1, fresh, workload.prefix); !step.ok())
    return worker.explain_context(step, 1, fresh, workload.prefix);
  if (const auto step = worker.generation_step(1, workload.isl + 1); !step.ok())
    return worker.explain_generation(step, 1, workload.isl + 1);
  return "the larger batches have no data; --database-mode HYBRID estimates what was not measured";
}

void note_least(std::optional<double>& least, double value) {
  if (!least || value < *least) least = value;
}

void merge(SearchTally& all, const SearchTally& one) {
  all.splits += one.splits;
  all.points += one.points;
  all.beyond_memory += one.beyond_memory;
  all.without_data += one.without_data;
  if (one.least_ttft_ms) note_least(all.least_ttft_ms, *one.least_ttft_ms);
  if (one.least_tpot_ms) note_least(all.least_tpot_ms, *one.least_tpot_ms);
  all.refusals.insert(all.refusals.end(), one.refusals.begin(), one.refusals.end());
}

}  // namespace perfatlas
