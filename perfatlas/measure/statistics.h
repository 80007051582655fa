// SPDX-License-Identifier: Apache-2.0
// What a set of repeated timings says. No sample is thrown away: an outlier widens the interval, it does not vanish.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace perfatlas {

/// Order statistics of a sample; all values in the unit of the sample.
struct SampleStatistics {
  size_t count = 0;
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  double ci95_low = 0;   // 95 % interval of the median, see median_interval()
  double ci95_high = 0;  //
  double rel_ci95 = 0;   // half-width of that interval, relative to the median
};

/// The value below which a share `q` of the sample lies: linear interpolation between the two nearest ranks
/// (Hyndman and Fan, "Sample quantiles in statistical packages", 1996, definition 7).
/// REQUIRES: `sorted` ascending, not empty; 0 <= q <= 1.
double quantile(std::span<const double> sorted, double q);

/// Indices (0-based, of the sorted sample) whose values enclose the median of the population with a probability of at
/// least 95 %, whatever its distribution: the largest k with P(Binomial(n, 1/2) < k) <= 0.025 gives the k-th smallest
/// and k-th largest value (David and Nagaraja, "Order Statistics", 3rd ed., section 7.1). For n > 1000 k is
/// floor((n - 1.96 sqrt(n)) / 2), its normal approximation. `found` is false for n < 6, where even the whole range
/// covers the median with less than 95 % (1 - 2^(1-n)).
struct MedianRanks {
  bool found = false;
  size_t low = 0;
  size_t high = 0;
};
MedianRanks median_ranks(size_t count);

/// Statistics of a sample in any order. Below six samples order statistics cannot reach 95 %; the interval is then
/// median +- t(n-1) s / sqrt(n) (Student, normal noise assumed), never less wide than the range of the sample.
/// REQUIRES: at least two samples, all finite and positive.
SampleStatistics statistics_of(std::vector<double> samples);

}  // namespace perfatlas
