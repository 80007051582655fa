// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/pick.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using testing::ElementsAre;

std::vector<PickRow> three_kinds() {
  return {{.parallel = "tp1", .cluster_tokens_per_s_gpu = 900, .tpot_ms = 60, .request_latency_ms = 6000},
          {.parallel = "tp2", .cluster_tokens_per_s_gpu = 500, .tpot_ms = 20, .request_latency_ms = 2500},
          {.parallel = "tp2", .cluster_tokens_per_s_gpu = 600, .tpot_ms = 28, .request_latency_ms = 3000},
          {.parallel = "tp4", .cluster_tokens_per_s_gpu = 650, .tpot_ms = 25, .request_latency_ms = 9000}};
}

TEST(Pick, ShowsTheBestOfEachKindThatMeetsTheLimit) {
  const auto rows = three_kinds();
  EXPECT_THAT(pick_best(rows, {.tpot_ms = 30}).rows, ElementsAre(3, 2));
  EXPECT_THAT(pick_best(rows, {.tpot_ms = 30, .top_n = 1}).rows, ElementsAre(3));
  EXPECT_THAT(pick_best(rows, {.tpot_ms = 22}).rows, ElementsAre(1));
  EXPECT_THAT(pick_best(rows, {.request_latency_ms = 6000.0}).rows, ElementsAre(0, 2));
}

TEST(Pick, ShowsTheClosestWhenNothingMeetsTheLimitUnlessStrict) {
  const auto rows = three_kinds();
  const Picks closest = pick_best(rows, {.tpot_ms = 5});
  EXPECT_TRUE(closest.limit_exceeded);
  EXPECT_THAT(closest.rows, ElementsAre(3, 2, 0));
  const Picks none = pick_best(rows, {.tpot_ms = 5, .strict = true});
  EXPECT_FALSE(none.limit_exceeded);
  EXPECT_TRUE(none.rows.empty());
}

TEST(Pick, OfEqualThroughputTheFasterForTheUserIsShown) {
  const std::vector<PickRow> rows{
      {.parallel = "tp1", .cluster_tokens_per_s_gpu = 9, .tokens_per_s_user = 16, .tpot_ms = 60},
      {.parallel = "tp1", .cluster_tokens_per_s_gpu = 9, .tokens_per_s_user = 20, .tpot_ms = 50}};
  EXPECT_THAT(pick_best(rows, {.tpot_ms = 70}).rows, ElementsAre(1));
}

TEST(Pick, FewestGpusThatServeTheLoad) {
  const std::vector<PickRow> rows{
      {.tokens_per_s_gpu = 10, .tpot_ms = 9, .requests_per_s = 3, .concurrency = 30, .replica_gpus = 8},
      {.tokens_per_s_gpu = 12, .tpot_ms = 9, .requests_per_s = 1, .concurrency = 10, .replica_gpus = 2},
      {.tokens_per_s_gpu = 99, .tpot_ms = 90, .requests_per_s = 99, .concurrency = 99, .replica_gpus = 1}};
  const auto matches = match_load(rows, {.tpot_ms = 10}, {.requests_per_s = 3.5});
  ASSERT_EQ(matches.size(), 2u);
  EXPECT_EQ(matches[0].row, 1u);
  EXPECT_EQ(matches[0].replicas, 4);
  EXPECT_EQ(matches[0].gpus, 8);
  EXPECT_EQ(matches[1].gpus, 16);
  const auto by_users = match_load(rows, {.tpot_ms = 10}, {.concurrency = 30.0});
  EXPECT_EQ(by_users[0].row, 1u);
  EXPECT_EQ(by_users[0].gpus, 6);
}

TEST(Pick, SaysWhichShareOfTheLoadTheGpusAtHandServe) {
  const std::vector<PickRow> rows{{.tpot_ms = 9, .requests_per_s = 1, .replica_gpus = 4}};
  const auto matches = match_load(rows, {.tpot_ms = 10}, {.requests_per_s = 4.0}, 8);
  ASSERT_EQ(matches.size(), 1u);
  EXPECT_EQ(matches[0].replicas, 2);
  EXPECT_DOUBLE_EQ(matches[0].served_share, 0.5);
  EXPECT_TRUE(match_load(rows, {.tpot_ms = 10}, {.requests_per_s = 4.0}, 3).empty());
  // More than can be counted is refused; as much of it as the GPUs at hand serve is not.
  EXPECT_THROW(match_load(rows, {.tpot_ms = 10}, {.requests_per_s = 1e12}), UsageError);
  EXPECT_LE(match_load(rows, {.tpot_ms = 10}, {.requests_per_s = 1e12}, 8).at(0).gpus, 8);
}

}  // namespace
}  // namespace perfatlas
