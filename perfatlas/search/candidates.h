// SPDX-License-Identifier: Apache-2.0
// The ways to split a model over GPUs that a search tries. The lists are those of aiconfigurator 0.12 (Apache-2.0), so
// that both tools search the same space.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perfatlas/estimate/deployment.h"

namespace perfatlas {

/// Values that each width may have, ascending.
struct CandidateLists {
  std::vector<int64_t> gpus, tp, pp, dp, moe_tp, moe_ep, cp;
};

/// What the workers of a pool do.
enum class WorkerRole { aggregated, prefill, decode };

/// What the lists depend on.
struct CandidateRequest {
  estimate::Framework framework = estimate::Framework::trtllm;
  WorkerRole role = WorkerRole::aggregated;
  bool has_experts = false;
  bool splits_prompts = false;  // the family's prompts can be shared by ranks (sglang only)
  bool rack_scale = false;      // more GPUs than a node's share one fast fabric
  bool deep_pipelines = false;  // see wants_deep_pipelines
  std::string moe_backend;      // sglang: megamoe, deepep_moe; empty: its default
  std::vector<int64_t>
      wide_experts;  // expert-parallel widths beyond one node whose communication was measured
};

/// Sparse-attention models of 16 GPUs and more on Blackwell are also tried in two pipeline stages.
bool wants_deep_pipelines(const std::string& family, int sm_version, int total_gpus,
                          const std::string& moe_backend);

CandidateLists default_candidates(const CandidateRequest& request);

/// Every split within the lists, by ascending tp, pp, dp, moe_tp, moe_ep, cp: its GPUs are in the list and not above
/// `budget`, attention and experts cover the same ranks, the framework can run it. Dense models have no expert widths
/// beyond 1.
std::vector<estimate::Parallel> splits_within(const CandidateLists& lists, const CandidateRequest& request,
                                              int64_t budget);

}  // namespace perfatlas
