// SPDX-License-Identifier: Apache-2.0
// Mean and percentiles of a stream of times, in bounded memory.
#pragma once

#include <cstdint>
#include <vector>

namespace perfatlas {

/// What is reported of one metric.
struct Summary {
  int64_t count = 0;
  double mean = 0, p50 = 0, p90 = 0, p99 = 0;
  bool exact = true;  // false: percentiles are within Distribution::kBinWidth of the true ones

  /// The summary of the same values, each `by` larger.
  Summary shifted(double by) const;
};

/// Keeps up to kMostExact values; beyond that only counts in bins of equal relative width.
class Distribution {
 public:
  static constexpr int64_t kMostExact = 50'000;
  static constexpr double kBinWidth = 0.005;  // relative, so a percentile is off by at most half of it

  /// REQUIRES: value >= 0.
  void add(double value);
  int64_t count() const { return count_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / double(count_); }
  /// Percentiles interpolate linearly between ranks (Hyndman and Fan 1996, definition 7). All zero when empty.
  Summary summary() const;
  /// The value below which a share `q` lies. REQUIRES: not empty.
  double quantile(double q) const;

 private:
  void fold(double value);
  double binned_quantile(double q) const;

  std::vector<double> values_;  // while there are at most kMostExact
  std::vector<int64_t> bins_;   // afterwards
  int64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace perfatlas
