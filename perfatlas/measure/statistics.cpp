// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr double kTail = 0.025;          // probability left on each side of a 95 % interval
constexpr size_t kExactCount = 1000;     // 0.5^n is a normal double up to n = 1022
constexpr double kNormal975 = 1.959964;  // 97.5 % point of the normal distribution

/// 97.5 % points of Student's t distribution for 1 to 4 degrees of freedom (samples of two to five).
constexpr double kStudent975[] = {12.7062, 4.3027, 3.1824, 2.7764};

struct Interval {
  double low = 0;
  double high = 0;
};

Interval small_sample_interval(std::span<const double> sorted, double median) {
  const auto n = double(sorted.size());
  const double mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  double squares = 0;
  for (const double x : sorted) squares += (x - mean) * (x - mean);
  const double half = kStudent975[sorted.size() - 2] * std::sqrt(squares / (n - 1) / n);
  return {std::min(median - half, sorted.front()), std::max(median + half, sorted.back())};
}

}  // namespace

double quantile(std::span<const double> sorted, double q) {
  PERFATLAS_ASSERT(!sorted.empty() && q >= 0 && q <= 1);
  const double rank = q * double(sorted.size() - 1);
  const auto below = size_t(rank);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - double(below)) * (sorted[above] - sorted[below]);
}

MedianRanks median_ranks(size_t count) {
  if (count > kExactCount) {
    const auto n = double(count);
    const auto k = size_t((n - kNormal975 * std::sqrt(n)) / 2);
    return {true, k - 1, count - k};
  }
  double term = std::pow(0.5, double(count));  // P(Binomial(count, 1/2) == k)
  double below = 0;                            // P(Binomial(count, 1/2) < k)
  size_t k = 0;
  while (below + term <= kTail) {
    below += term;
    term *= double(count - k) / double(k + 1);
    ++k;
  }
  if (k == 0) return {};
  return {true, k - 1, count - k};
}

SampleStatistics statistics_of(std::vector<double> samples) {
  PERFATLAS_ASSERT(samples.size() >= 2);
  std::sort(samples.begin(), samples.end());
  SampleStatistics s{.count = samples.size()};
  s.median = quantile(samples, 0.5);
  s.p10 = quantile(samples, 0.1);
  s.p90 = quantile(samples, 0.9);
  const MedianRanks ranks = median_ranks(samples.size());
  const Interval interval = ranks.found ? Interval{samples[ranks.low], samples[ranks.high]}
                                        : small_sample_interval(samples, s.median);
  s.ci95_low = interval.low;
  s.ci95_high = interval.high;
  s.rel_ci95 = (interval.high - interval.low) / 2 / s.median;
  return s;
}

}  // namespace perfatlas
