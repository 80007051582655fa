// SPDX-License-Identifier: Apache-2.0
// A serving system as it happens: requests, queues and engine steps on a clock, with steps priced by tables.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/serving/distribution.h"
#include "perfatlas/serving/load_series.h"
#include "perfatlas/serving/scheduler.h"
#include "perfatlas/serving/workload.h"

namespace perfatlas {

/// One engine (or several equal attention-DP ranks of it) that computes prompts and decodes.
struct AggregatedCase {
  EngineSetup setup;
  int64_t attention_dp = 1;     // ranks; a step lasts as long as the slowest one's
  double step_overhead_ms = 0;  // host time per step, usually setup.launch.step_overhead_ms()
  RequestPath path;
  Workload workload;
};

/// Workers of one pool, and the ranks of each.
struct WorkerPool {
  int64_t workers = 1;
  int64_t attention_dp = 1;
  const PriceTables* prices = nullptr;
};

/// Prompts are computed by one pool of engines and decoded by another. KV limits of the decode pool, the bandwidth of
/// the KV transfer and routing policies are not modelled.
struct DisaggregatedCase {
  WorkerPool prefill, decode;
  int64_t prefill_budget_tokens = 8192;  // prompt tokens that one rank takes per step
  RequestPath path;
  Workload workload;
};

/// A run of equal engine steps, for timelines.
struct Segment {
  double start_ms = 0, duration_ms = 0;
  int64_t steps = 1;
  int64_t prompt_tokens = 0;  // of all ranks
  int64_t decodes = 0;
  int64_t waiting = 0;
  int32_t worker = 0;  // prefill workers first
};

/// Is told what happens. Throwing ends the simulation.
class SimulationObserver {
 public:
  virtual ~SimulationObserver() = default;
  virtual void ran(const Segment&) {}
  /// A request's last token left the engine at done_ms.
  virtual void finished(const ServingRequest&, double /*done_ms*/) {}
};

/// A simulation stops early rather than run for ever.
struct SimulationLimits {
  int64_t most_iterations = 1'000'000'000;                             // of the event loop
  double most_simulated_ms = std::numeric_limits<double>::infinity();  // on the simulated clock
  double most_wall_s = 600;                                            // on the real one
  int64_t most_waiting = 2'000'000;                                    // requests in the engine's queue
};

/// Offered more than can be served: the queue grew for as long as requests came.
struct Saturation {
  double offered_per_s = 0;  // requests, over the second half of the arrivals
  double served_per_s = 0;
  double deficit_per_s() const { return offered_per_s - served_per_s; }
};

struct SimulationResult {
  Summary ttft_ms;            // request sent to first token at the user
  Summary tpot_ms;            // (last - first token) / (tokens - 1), requests of more than one token
  Summary latency_ms;         // request sent to last token at the user
  double stream_wait_ms = 0;  // inside ttft_ms: SGLang's stream interval (constants.h)
  double steady_ttft_ms =
      0;  // closed loop: mean without the first wave and the last half wave; else the mean

  int64_t requests = 0;    // finished
  int64_t unfinished = 0;  // sent, not finished: only when stopped early
  int64_t engine_steps = 0, prompt_steps = 0, iterations = 0;
  double duration_ms = 0;  // until the last token left the engine
  double input_tokens = 0, output_tokens = 0;
  double busy_share = 0;  // of the time until the end, in which the engine (or a worker, on average) computed
  double mean_waiting = 0, mean_running = 0;
  int64_t most_waiting = 0;
  int64_t kv_refusals = 0;  // times a prompt was kept out by KV capacity alone
  bool kv_bound = false;    // that happened in more than 1 % of the steps
  std::optional<Saturation> saturation;
  std::string stopped_early;  // why; empty: all requests were served
  LoadSeries load;

  double output_tokens_per_s() const { return duration_ms > 0 ? output_tokens * 1000 / duration_ms : 0; }
  double requests_per_s() const { return duration_ms > 0 ? double(requests) * 1000 / duration_ms : 0; }
};

/// Deterministic: the same case gives the same result. Throws UsageError for a workload that makes no sense, a request
/// that is longer than the KV capacity, and worker counts that are not positive.
SimulationResult simulate(const AggregatedCase& served, const SimulationLimits& limits = {},
                          SimulationObserver* observer = nullptr);
SimulationResult simulate(const DisaggregatedCase& served, const SimulationLimits& limits = {},
                          SimulationObserver* observer = nullptr);

}  // namespace perfatlas
