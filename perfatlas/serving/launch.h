// SPDX-License-Identifier: Apache-2.0
// How an engine was started: what decides when a request is seen, admitted and batched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/serving/engine.h"

namespace perfatlas {

/// What the user knows of the launch command. Absent: the engine's default is assumed, and said so.
struct LaunchOptions {
  std::optional<int64_t> token_budget;   // tokens per step: --max-num-batched-tokens, --chunked-prefill-size,
                                         // max_num_tokens, llama.cpp --batch-size
  std::optional<int64_t> max_running;    // requests per rank: --max-num-seqs, --max-running-requests,
                                         // max_batch_size, llama.cpp --parallel
  std::optional<int64_t> recv_interval;  // SGLang --scheduler-recv-interval, in decode steps
  std::optional<int64_t> stream_interval;  // SGLang --stream-interval, in decode steps
  std::optional<int64_t>
      batch_wait_iters;                  // TRT-LLM batch_wait_timeout_iters; timeout_iters with attention DP
  std::optional<bool> async_scheduling;  // vLLM --async-scheduling
  std::optional<int64_t> micro_batch;    // llama.cpp --ubatch-size
  std::optional<bool> unified_kv;        // llama.cpp --kv-unified
  std::optional<double>
      kv_fraction;  // --gpu-memory-utilization, --mem-fraction-static, free_gpu_memory_fraction
};

struct Launch {
  ServingEngine engine = ServingEngine::vllm;
  int64_t token_budget = 0;
  int64_t max_running = 0;
  int64_t recv_interval = 1;
  int64_t stream_interval = 1;
  int64_t batch_wait_iters = 0;
  bool async_scheduling = false;
  int64_t micro_batch = 0;
  bool unified_kv = false;
  std::optional<double> kv_fraction;  // absent: the constants of section "memory" apply
  std::vector<std::string> given;     // names of LaunchOptions, as "token_budget=8192"
  std::vector<std::string> assumed;   // the same for the engine's defaults

  /// Everything that matters for this engine was given.
  bool known() const { return assumed.empty(); }
  /// Host time per step that its kernels do not hide; constants.h.
  double step_overhead_ms() const;
  /// Share of a request's output that admission reserves KV for, beside its whole input. vLLM and SGLang admit on
  /// expected growth (half the output stands for it; preemption is not modelled), TRT-LLM never evicts.
  double reserved_output_share() const;
};

/// The engine's defaults with `options` over them. Throws UsageError for a parameter that the engine does not have,
/// naming those it has, and for values that are not positive.
Launch make_launch(ServingEngine engine, const LaunchOptions& options);

}  // namespace perfatlas
