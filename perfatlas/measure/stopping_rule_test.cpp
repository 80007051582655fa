// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/measure/stopping_rule.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace perfatlas {
namespace {

const StoppingRule kRule{.max_noise = 0.02, .min_samples = 10, .max_samples = 100, .max_time_s = 1};

TEST(StoppingRule, QuietSamplesStopAtTheMinimum) {
  EXPECT_FALSE(judge(kRule, std::vector<double>(9, 1.0), 0).stop);
  const auto decision = judge(kRule, std::vector<double>(10, 1.0), 0);
  EXPECT_TRUE(decision.stop);
  EXPECT_EQ(decision.reason, StopReason::quiet);
}

TEST(StoppingRule, NoisySamplesGoOnUntilTheTimeIsUp) {
  std::vector<double> noisy;
  for (int i = 0; i < 40; ++i) noisy.push_back(i % 2 == 0 ? 1.0 : 2.0);
  EXPECT_FALSE(judge(kRule, noisy, 0.5).stop);
  EXPECT_EQ(judge(kRule, noisy, 1.0).reason, StopReason::time_up);
  noisy.resize(100, 1.0);
  noisy[50] = 3;
  EXPECT_TRUE(judge(kRule, noisy, 0.5).stop);
}

TEST(StoppingRule, SampleLimitIsNamed) {
  std::vector<double> noisy;
  for (int i = 0; i < 100; ++i) noisy.push_back(i % 2 == 0 ? 1.0 : 2.0);
  EXPECT_EQ(judge(kRule, noisy, 0.5).reason, StopReason::limit);
}

TEST(StoppingRule, OneSampleNeverStopsBecauseNoSpreadCouldBeStated) {
  EXPECT_FALSE(judge(kRule, std::vector<double>{1.0}, 100).stop);
}

RC_GTEST_PROP(StoppingRule, AskingForMoreReachesTheLimitAndNeverPassesIt, ()) {
  StoppingRule rule;
  rule.min_samples = *rc::gen::inRange<size_t>(0, 20);
  rule.max_samples = *rc::gen::inRange<size_t>(20, 300);
  size_t samples = 0;
  int chunks = 0;
  while (samples < rule.max_samples) {
    const int more = next_repetitions(rule, samples);
    RC_ASSERT(more >= 1);
    samples += size_t(more);
    ++chunks;
  }
  RC_ASSERT(samples == rule.max_samples);
  RC_ASSERT(chunks <= 10);
}

}  // namespace
}  // namespace perfatlas
