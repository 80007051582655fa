// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/simulated.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(SimulatedSearch, LoosensTtftForTheFormulasAndKeepsTpot) {
  const auto targets = loosened({{1000, 10}, {1000, 20}});
  ASSERT_EQ(targets.size(), 2u);
  for (const LatencyTarget& target : targets) EXPECT_GT(target.ttft_ms, 2000);
  EXPECT_EQ(targets[1].tpot_ms, 20);
}

TEST(SimulatedSearch, LimitsAreOnTheStatisticAskedFor) {
  const Summary summary{.count = 4, .mean = 1, .p50 = 2, .p90 = 3, .p99 = 4};
  EXPECT_EQ(value_of(summary, Statistic::mean), 1);
  EXPECT_EQ(value_of(summary, Statistic::p50), 2);
  EXPECT_EQ(value_of(summary, Statistic::p90), 3);
  EXPECT_EQ(value_of(summary, Statistic::p99), 4);
}

}  // namespace
}  // namespace perfatlas
