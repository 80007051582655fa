// SPDX-License-Identifier: Apache-2.0
// Queue and load over time, in bounded memory whatever the length of the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace perfatlas {

/// Equal intervals from time 0; when time runs out of them, neighbours are joined and the width doubles.
class LoadSeries {
 public:
  struct Interval {
    double waiting_ms = 0;  // integral of the number of waiting requests
    double running_ms = 0;  // integral of the number of running requests
    double busy_ms = 0;     // time in which the engine computed
    int64_t arrivals = 0;   // at the engine
  };
  static constexpr size_t kMostIntervals = 512;

  /// From `start_ms` for `duration_ms` the engine held this many requests. Calls in order of time.
  void add_load(double start_ms, double duration_ms, double waiting, double running);
  void add_arrival(double at_ms);

  double width_ms() const { return width_ms_; }
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  /// Makes the interval of a time, and widens all until there are few enough.
  size_t index_of(double time_ms);

  double width_ms_ = 1;
  std::vector<Interval> intervals_;
};

}  // namespace perfatlas
