// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/retry_policy.h"

#include <gtest/gtest.h>

#include "perfatlas/collect/drift.h"
#include "perfatlas/collect/toy_grid_test.h"

namespace perfatlas {
namespace {

const OpType kOp = make_op_type<ToyGrid>();

TEST(RetryPolicy, CrashesAreRetriedOnceFailuresAndHangsAreNot) {
  const RetryPolicy policy;
  EXPECT_TRUE(worth_retrying(policy, Outcome::crashed, false, 1));
  EXPECT_FALSE(worth_retrying(policy, Outcome::crashed, false, 2));
  EXPECT_TRUE(worth_retrying(policy, Outcome::failed, true, 1));
  EXPECT_FALSE(worth_retrying(policy, Outcome::failed, false, 1));
  EXPECT_FALSE(worth_retrying(policy, Outcome::timed_out, false, 1));
}

TEST(CircuitBreaker, WaitsForTwentyCases) {
  CircuitBreaker breaker{RetryPolicy{}};
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(breaker.record(kOp, Outcome::crashed));
  EXPECT_FALSE(breaker.is_open(kOp));
  EXPECT_TRUE(breaker.record(kOp, Outcome::crashed));
  EXPECT_TRUE(breaker.is_open(kOp));
  EXPECT_FALSE(breaker.record(kOp, Outcome::crashed)) << "opens once";
}

TEST(CircuitBreaker, AThirdIsToleratedMoreIsNot) {
  CircuitBreaker breaker{RetryPolicy{}};
  // 8 of every 25: 16 of any window of 50.
  for (int i = 0; i < 300; ++i) breaker.record(kOp, i % 25 >= 17 ? Outcome::failed : Outcome::measured);
  EXPECT_FALSE(breaker.is_open(kOp));
  for (int i = 0; i < 3; ++i) breaker.record(kOp, Outcome::timed_out);
  EXPECT_TRUE(breaker.is_open(kOp));
}

TEST(CircuitBreaker, ForgetsOldFailures) {
  CircuitBreaker breaker{RetryPolicy{}};
  for (int i = 0; i < 15; ++i) breaker.record(kOp, Outcome::failed);
  for (int i = 0; i < 4; ++i) breaker.record(kOp, Outcome::measured);
  EXPECT_FALSE(breaker.is_open(kOp));
}

TEST(CircuitBreaker, SkipsAreNotFailures) {
  CircuitBreaker breaker{RetryPolicy{}};
  for (int i = 0; i < 100; ++i) breaker.record(kOp, Outcome::skipped);
  EXPECT_FALSE(breaker.is_open(kOp));
}

TEST(Reservoir, KeepsAUniformSample) {
  std::vector<int> chosen(100, 0);
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Reservoir reservoir(10, seed);
    for (size_t i = 0; i < 100; ++i) reservoir.offer({i, 1.0});
    ASSERT_EQ(reservoir.kept().size(), size_t{10});
    for (const auto& candidate : reservoir.kept()) ++chosen[candidate.plan_index];
  }
  for (const int count : chosen) EXPECT_NEAR(count, 200, 80);  // six standard deviations
}

TEST(DriftMeter, CountsDeviationsInBothDirections) {
  DriftMeter meter;
  EXPECT_FALSE(meter.figures());
  meter.add(1, 1.2);
  meter.add(1, 0.8);
  meter.add(1, 1);
  meter.add(1, 1);
  EXPECT_NEAR(meter.figures()->deviation_p50, 0.1, 1e-12);
  EXPECT_EQ(meter.figures()->share_over_10_percent, 0.5);
}

}  // namespace
}  // namespace perfatlas
