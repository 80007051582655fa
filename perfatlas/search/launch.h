// SPDX-License-Identifier: Apache-2.0
// How to start what a search has chosen: the frameworks' own commands with exactly the sizes that were estimated.
#pragma once

#include <cstdint>
#include <string>

#include "perfatlas/estimate/deployment.h"
#include "perfatlas/search/candidates.h"

namespace perfatlas {

/// One kind of worker of a deployment.
struct LaunchPlan {
  WorkerRole role = WorkerRole::aggregated;
  std::string model;  // as the framework is to find it
  estimate::Framework framework = estimate::Framework::trtllm;
  estimate::Parallel parallel;
  bool has_experts = false;
  bool kv_in_fp8 = false;
  int64_t max_running = 1;   // requests of one attention replica at once
  int64_t token_budget = 0;  // tokens of one step; 0: the framework's own
  int64_t max_sequence = 0;  // prompt and answer
  bool chunked_prefill = false;
  double memory_fraction = 0;  // in the framework's own meaning: of all memory, TRT-LLM: of what is free
  int64_t drafted_tokens = 0;  // multi-token prediction
};

/// A shell command over several lines, ended by "\n". Flags of vLLM 0.24, SGLang 0.5.14 and TRT-LLM 1.3.
std::string launch_command(const LaunchPlan& plan);

}  // namespace perfatlas
