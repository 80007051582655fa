// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/grids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace perfatlas {
namespace {

using testing::ElementsAre;

TEST(Grids, AggregatedBatchesAre44UpTo512) {
  const auto batches = aggregated_batches();
  EXPECT_EQ(batches.size(), 44u);
  EXPECT_EQ(batches.back(), 512);
  EXPECT_TRUE(std::is_sorted(batches.begin(), batches.end()));
  EXPECT_EQ(aggregated_batches(1024).back(), 1024);
  EXPECT_THAT(aggregated_batches(3), ElementsAre(1, 2, 3));
}

TEST(Grids, DecodeBatchesHaveALargerOneWhenAsked) {
  EXPECT_EQ(decode_batches().back(), 512);
  EXPECT_EQ(decode_batches(700).back(), 700);
  EXPECT_EQ(decode_batches(700).size(), decode_batches().size() + 1);
}

TEST(Grids, WithoutChunkedPrefillBudgetsAreWholePrompts) {
  EXPECT_THAT(context_token_budgets({.isl = 4000}), ElementsAre(4000, 8000));
  EXPECT_THAT(context_token_budgets({.isl = 1024}),
              ElementsAre(1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192));
}

TEST(Grids, ChunkedPrefillAddsTheStridesAndKeepsThePrompt) {
  const auto budgets = context_token_budgets({.isl = 4000, .chunked_prefill = true});
  EXPECT_EQ(budgets.front(), 512);
  for (const int needed : {1024, 4000, 8000, 8192})
    EXPECT_TRUE(std::binary_search(budgets.begin(), budgets.end(), needed)) << needed;
}

TEST(Grids, TheCurveHas75Targets) {
  const auto targets = tpot_targets_ms();
  EXPECT_EQ(targets.size(), 75u);
  EXPECT_EQ(targets.front(), 1);
  EXPECT_EQ(targets.back(), 295);
}

TEST(Grids, TargetsOfALimitedRequestSpendItWhole) {
  for (const double request_ms : {500.0, 12000.0, 90000.0})
    for (const LatencyTarget& target : request_latency_targets(request_ms, 500, std::nullopt)) {
      EXPECT_LT(target.ttft_ms, request_ms);
      EXPECT_NEAR(target.ttft_ms + target.tpot_ms * 499, request_ms, 1e-9 * request_ms);
    }
  EXPECT_EQ(request_latency_targets(12000, 500, 700.0)[4].ttft_ms, 700);
}

TEST(Grids, ReplicasAreMultiplesOf8UnlessExpertsSpanNodes) {
  EXPECT_THAT(replica_sizes(24, false), ElementsAre(1, 2, 4, 8, 16, 24));
  EXPECT_THAT(replica_sizes(3, true), ElementsAre(1, 2, 3));
  EXPECT_EQ(replica_sizes(1000, false).back(), 128);
}

}  // namespace
}  // namespace perfatlas
