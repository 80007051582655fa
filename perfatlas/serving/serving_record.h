// SPDX-License-Identifier: Apache-2.0
// Collects what a simulation reports, and decides when it has gone on long enough.
#pragma once

#include <chrono>

#include "perfatlas/serving/arrivals.h"
#include "perfatlas/serving/simulation.h"

namespace perfatlas {

class ServingRecord {
 public:
  ServingRecord(const Workload& workload, RequestPath path, SimulationLimits limits,
                SimulationObserver* observer);

  void arrived(const ServingRequest& request);
  /// `running`: requests in steps, `waiting`: those that could not be.
  void ran(const Segment& segment, int64_t running);
  void finished(const ServingRequest& request, double done_ms);
  /// In so many steps the first waiting prompt was kept out by the KV capacity alone.
  void kv_blocked(int64_t steps) { result_.kv_refusals += steps; }

  /// ServingEngine steps so far.
  int64_t steps() const { return result_.engine_steps; }
  /// Counts one iteration of the event loop. False when a limit is reached.
  bool may_go_on(double clock_ms, int64_t waiting);

  /// `workers`: engines that could compute at the same time.
  SimulationResult result(double workers, int64_t sent) &&;

 private:
  std::optional<Saturation> saturation() const;

  RequestPath path_;
  SimulationLimits limits_;
  SimulationObserver* observer_;
  bool closed_loop_;
  int64_t steady_first_ = 0, steady_last_ = 0;  // ids of the steady part, [first, last)
  Distribution ttft_, tpot_, latency_;
  double steady_sum_ = 0;
  int64_t steady_count_ = 0;
  double busy_ms_ = 0, waiting_ms_ = 0, running_ms_ = 0, last_arrival_ms_ = 0;
  std::chrono::steady_clock::time_point started_;
  SimulationResult result_;
};

}  // namespace perfatlas
