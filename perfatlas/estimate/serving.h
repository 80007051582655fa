// SPDX-License-Identifier: Apache-2.0
// From engine steps to requests: what one worker does with a stream of equal requests. docs/metrics.md defines the
// figures. All functions are pure; a point costs a few engine steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "perfatlas/estimate/memory.h"
#include "perfatlas/estimate/worker.h"

namespace perfatlas::estimate {

inline constexpr int64_t kMostTokensAsked =
    1'000'000'000;  // of a prompt or an output: sums of them fit 64 bits

/// Equal requests.
struct Workload {
  int64_t isl = 1024;   // prompt tokens
  int64_t osl = 1024;   // generated tokens
  int64_t prefix = 0;   // of the prompt, cached already
  double accepted = 0;  // drafted tokens that hold, per decode iteration
  double tokens_per_iteration() const { return 1 + accepted; }
};

/// What the user fixes instead of the framework's defaults.
struct MemoryLimits {
  std::optional<double> fraction;      // of CacheRule
  std::optional<int64_t> max_seq_len;  // tokens that every sequence may get
};

/// Figures of one worker. Times in ms, rates per second.
struct Figures {
  double ttft_ms = 0, tpot_ms = 0, request_latency_ms = 0;
  double requests_per_s = 0;
  double tokens_per_s = 0;
  double tokens_per_s_gpu = 0, requests_per_s_gpu = 0;
  double tokens_per_s_user = 0;
  double concurrency = 0;
  std::optional<double> power_w;  // where the tables know the energy of nearly everything
  double power_coverage = 0;      // share of the latency whose energy is known
};

/// A worker that runs prompts and decodes together.
struct AggregatedPoint {
  int64_t batch = 1;           // requests in flight
  int64_t context_tokens = 1;  // prompt tokens per mixed step
};

struct AggregatedResult {
  Figures figures;
  Memory memory;
  Fit fit = Fit::fits;
  StepPrice mixed, decode;  // one step of each
  MixedStep mixed_step;
  int64_t decode_requests = 0;  // in a step without prompts; 0: there is none
  double mixed_steps = 0, decode_steps = 0, decode_iterations = 0;
  double balance = 0;                                     // prompt steps over decode iterations
  int64_t context_requests = 0, generation_requests = 0;  // in a mixed step
  int64_t step_tokens = 0;
  bool ok() const { return mixed.ok() && decode.ok(); }
};

/// REQUIRES: batch, context_tokens, isl and osl at least 1; prefix < isl.
AggregatedResult run_aggregated(const Worker& worker, const Workload& workload, const AggregatedPoint& point,
                                const MemoryLimits& limits, const std::string& version);

/// Energies of a smaller share of the time say nothing about the power of the whole.
inline constexpr double kPowerCoverage = 0.9;

enum class StaticMode { both, context, generation };

/// A batch that is prefilled at once and decoded to the end.
struct StaticPoint {
  StaticMode mode = StaticMode::both;
  int64_t batch = 1;
  int64_t stride = 32;    // decode steps that one price stands for
  double correction = 1;  // factor on all latencies
};

struct StaticResult {
  Figures figures;
  Figures undrafted;  // the same as if no drafted token held
  Memory memory;
  Fit fit = Fit::fits;
  StepPrice context, generation;  // of the whole phase, corrected
  bool ok() const { return context.ok() && generation.ok(); }
};

/// REQUIRES: as run_aggregated.
StaticResult run_static(const Worker& worker, const Workload& workload, const StaticPoint& point,
                        const MemoryLimits& limits, const std::string& version);

/// Drafted tokens that hold shorten decoding, and rates grow with it. A prefill worker gains nothing.
Figures with_accepted(Figures figures, const Workload& workload, StaticMode mode);

/// Lines per op of the whole phases, corrected; the other phase's list is empty.
struct StaticOps {
  OpPrices context, generation;
};
StaticOps static_ops(const Worker& worker, const Workload& workload, const StaticPoint& point);

}  // namespace perfatlas::estimate
