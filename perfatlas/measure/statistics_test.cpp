// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/measure/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace perfatlas {
namespace {

rc::Gen<std::vector<double>> timings(size_t at_least) {
  return rc::gen::mapcat(rc::gen::inRange<size_t>(at_least, 60), [](size_t count) {
    return rc::gen::container<std::vector<double>>(
        count, rc::gen::map(rc::gen::inRange(1, 1000000), [](int x) { return x / 1000.0; }));
  });
}

/// P(Binomial(n, 1/2) < k) by counting subsets, independent of the running product in the implementation.
double chance_below(size_t n, size_t k) {
  double sum = 0;
  for (size_t i = 0; i < k; ++i)
    sum += std::exp(std::lgamma(double(n) + 1) - std::lgamma(double(i) + 1) - std::lgamma(double(n - i) + 1) -
                    double(n) * std::log(2.0));
  return sum;
}

RC_GTEST_PROP(Statistics, MedianSplitsTheSampleInHalves, ()) {
  const auto samples = *timings(2);
  const double median = statistics_of(samples).median;
  const auto below = std::count_if(samples.begin(), samples.end(), [&](double x) { return x < median; });
  const auto above = std::count_if(samples.begin(), samples.end(), [&](double x) { return x > median; });
  RC_ASSERT(size_t(below) * 2 <= samples.size());
  RC_ASSERT(size_t(above) * 2 <= samples.size());
}

RC_GTEST_PROP(Statistics, QuantilesAreOrderedAndInside, ()) {
  const auto samples = *timings(2);
  const auto s = statistics_of(samples);
  const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
  RC_ASSERT(*low <= s.p10 && s.p10 <= s.median && s.median <= s.p90 && s.p90 <= *high);
  RC_ASSERT(s.ci95_low <= s.median && s.median <= s.ci95_high);
  RC_ASSERT(s.count == samples.size());
}

RC_GTEST_PROP(Statistics, OrderOfSamplesDoesNotMatter, ()) {
  auto samples = *timings(2);
  const auto first = statistics_of(samples);
  std::reverse(samples.begin(), samples.end());
  const auto second = statistics_of(samples);
  RC_ASSERT(first.median == second.median && first.rel_ci95 == second.rel_ci95);
}

RC_GTEST_PROP(Statistics, ScalesWithTheUnit, ()) {
  const auto samples = *timings(2);
  auto scaled = samples;
  for (double& x : scaled) x *= 1024;  // a power of two: exact
  RC_ASSERT(statistics_of(scaled).median == 1024 * statistics_of(samples).median);
  RC_ASSERT(std::abs(statistics_of(scaled).rel_ci95 - statistics_of(samples).rel_ci95) < 1e-9);
}

TEST(Statistics, MedianRanksAreTheNarrowestThatCoverNinetyFivePercent) {
  for (size_t n = 1; n <= 400; ++n) {
    const MedianRanks ranks = median_ranks(n);
    if (n < 6) {
      EXPECT_FALSE(ranks.found) << n;
      continue;
    }
    ASSERT_TRUE(ranks.found) << n;
    EXPECT_EQ(ranks.low + ranks.high, n - 1) << "symmetric, n = " << n;
    const size_t k = ranks.low + 1;
    EXPECT_LE(chance_below(n, k), 0.025 + 1e-9) << n;
    EXPECT_GT(chance_below(n, k + 1), 0.025 - 1e-9) << n;
  }
}

TEST(Statistics, NormalApproximationJoinsTheExactRanks) {
  const MedianRanks exact = median_ranks(1000), approximate = median_ranks(1001);
  EXPECT_NEAR(double(exact.low), double(approximate.low), 2);
  EXPECT_EQ(approximate.low + approximate.high, size_t{1000});
}

TEST(Statistics, IntervalCoversTheMedianOfASkewedPopulation) {
  std::mt19937_64 random(11);
  std::exponential_distribution<double> latency(1.0);
  const double true_median = std::log(2.0);
  for (const size_t n : {6, 10, 31, 100}) {
    int covered = 0;
    for (int trial = 0; trial < 2000; ++trial) {
      std::vector<double> samples(n);
      for (double& x : samples) x = 1e-9 + latency(random);
      const auto s = statistics_of(samples);
      covered += s.ci95_low <= true_median && true_median <= s.ci95_high;
    }
    EXPECT_GE(covered, 1875) << "n = " << n;  // 95 % less three standard deviations of the count
  }
}

TEST(Statistics, FewSamplesGiveAWideIntervalNotANarrowOne) {
  EXPECT_GT(statistics_of({1.0, 1.1}).rel_ci95, 0.5);
  EXPECT_GE(statistics_of({1.0, 1.0, 5.0}).ci95_high, 5.0);
  EXPECT_GT(statistics_of({1.0, 1.01, 1.02, 1.03, 1.04}).rel_ci95, 0.015);
}

TEST(Statistics, OneOutlierWidensP90AndStays) {
  std::vector<double> samples(10, 1.0);
  samples[3] = 100;
  const auto s = statistics_of(samples);
  EXPECT_EQ(s.median, 1.0);
  EXPECT_GT(s.p90, 1.0);
  EXPECT_EQ(s.count, size_t{10});
}

}  // namespace
}  // namespace perfatlas
