// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_routing.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace perfatlas {
namespace {

using testing::ElementsAre;

int64_t sum(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::vector<int64_t> rank_loads(const std::vector<int64_t>& counts, int64_t ep) {
  const auto per_rank = std::ptrdiff_t(counts.size()) / ep;
  std::vector<int64_t> loads;
  for (auto at = counts.begin(); at != counts.end(); at += per_rank)
    loads.push_back(std::accumulate(at, at + per_rank, int64_t{0}));
  return loads;
}

/// How often each expert occurs; fails when a token has an expert twice.
std::vector<int64_t> counted(const ExpertIds& ids, int64_t topk, int64_t experts) {
  std::vector<int64_t> counts(static_cast<size_t>(experts));
  for (size_t at = 0; at < ids.size(); at += size_t(topk)) {
    const std::set<int32_t> row(ids.begin() + std::ptrdiff_t(at), ids.begin() + std::ptrdiff_t(at) + topk);
    RC_ASSERT(row.size() == size_t(topk));
    for (const int32_t id : row) ++counts.at(size_t(id));
  }
  return counts;
}

RoutingShape any_shape() {
  RoutingShape shape;
  shape.ep = *rc::gen::element<int64_t>(1, 2, 3, 4, 8);
  shape.experts = shape.ep * *rc::gen::inRange<int64_t>(1, 20);
  shape.topk = *rc::gen::inRange<int64_t>(1, std::min<int64_t>(shape.experts, 12) + 1);
  shape.tokens = *rc::gen::weightedOneOf<int64_t>(
      {{1, rc::gen::inRange<int64_t>(1, 8)}, {2, rc::gen::inRange<int64_t>(8, 400)}});
  return shape;
}

struct Draw {
  RoutingShape shape = any_shape();
  double alpha = *rc::gen::element(0.6, 1.01, 1.2, 2.0, 3.0);
  Redistribution redistribution = *rc::gen::element(Redistribution::per_rank, Redistribution::fixed_order);
  uint64_t seed = *rc::gen::arbitrary<uint64_t>();
  std::vector<int64_t> counts() const { return power_law_counts(shape, alpha, redistribution, seed); }
};

TEST(LoadDistribution, NamesOfPublishedTablesAndTheirVariantsParse) {
  EXPECT_TRUE(parse_distribution("balanced")->balanced());
  EXPECT_TRUE(parse_distribution("uniform")->balanced());
  EXPECT_EQ(*parse_distribution("power_law_1.01"), (LoadDistribution{.alpha = 1.01}));
  EXPECT_EQ(*parse_distribution("power_law_1.2_eplb"), (LoadDistribution{.alpha = 1.2, .eplb = true}));
  EXPECT_EQ(*parse_distribution("power_law_0.6_fixed_order_eplb"),
            (LoadDistribution{0.6, Redistribution::fixed_order, true}));
  for (const char* bad : {"", "balance", "balanced_eplb", "power_law_", "power_law_1", "power_law_1.0",
                          "power_law_-2", "power_law_nan", "power_law_1.2_eplb_fixed_order", "zipf"})
    EXPECT_FALSE(parse_distribution(bad)) << bad;
}

TEST(BalancedRouting, FollowsTheStride) {
  EXPECT_THAT(balanced_ids({.tokens = 4, .experts = 8, .topk = 2}), ElementsAre(0, 4, 1, 5, 2, 6, 3, 7));
  // Two tokens, stride 4: they start 2 apart.
  EXPECT_THAT(balanced_ids({.tokens = 2, .experts = 8, .topk = 2}), ElementsAre(0, 4, 2, 6));
  // Five choices of eight: stride 2, and the last choice would run into the first.
  EXPECT_THAT(balanced_ids({.tokens = 1, .experts = 8, .topk = 5}), ElementsAre(0, 2, 4, 6, 1));
}

RC_GTEST_PROP(BalancedRouting, NoTokenHasAnExpertTwiceAndLoadsAreEven, ()) {
  const RoutingShape shape = any_shape();
  const auto counts = counted(balanced_ids(shape), shape.topk, shape.experts);
  if (shape.experts % shape.topk != 0 || shape.tokens % shape.experts != 0) return;
  RC_ASSERT(counts == std::vector<int64_t>(counts.size(), shape.assignments() / shape.experts));
}

RC_GTEST_PROP(BalancedRouting, OverRanksEveryChoiceGoesToAnotherRank, ()) {
  RoutingShape shape = any_shape();
  if (shape.ep >= shape.topk) shape.topk = *rc::gen::element<int64_t>(1, shape.ep);
  const ExpertIds ids = balanced_rank_ids(shape);
  const auto loads = rank_loads(counted(ids, shape.topk, shape.experts), shape.ep);
  RC_ASSERT(sum(loads) == shape.assignments());
  const int64_t groups = std::max<int64_t>(shape.ep / shape.topk, 1);
  const auto [least, most] = std::minmax_element(loads.begin(), loads.end());
  if (shape.tokens % groups == 0 && (shape.topk % shape.ep == 0 || shape.ep % shape.topk == 0))
    RC_ASSERT(*least == *most);
}

RC_GTEST_PROP(PowerLawRouting, TotalsAreExactAndNoTokenHasAnExpertTwice, ()) {
  const Draw draw;
  const auto counts = draw.counts();
  RC_ASSERT(sum(counts) == draw.shape.assignments());
  for (const int64_t count : counts) RC_ASSERT(count >= 0 && count <= draw.shape.tokens);
  RC_ASSERT(counted(assign_tokens(draw.shape, counts), draw.shape.topk, draw.shape.experts) == counts);
}

RC_GTEST_PROP(PowerLawRouting, RankZeroIsTheHottest, ()) {
  const Draw draw;
  const auto loads = rank_loads(draw.counts(), draw.shape.ep);
  RC_ASSERT(loads[0] == *std::max_element(loads.begin(), loads.end()));
}

TEST(PowerLawRouting, SeedsDecideAndAreTheSameOnEveryMachine) {
  const RoutingShape shape{.tokens = 32, .experts = 8, .topk = 2, .ep = 2};
  const auto draw = [&](uint64_t seed) {
    return power_law_counts(shape, 1.2, Redistribution::per_rank, seed);
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
  // The generator is fixed by the C++ standard, so these figures must not change.
  EXPECT_THAT(draw(7), ElementsAre(8, 17, 1, 13, 1, 1, 10, 13));
}

TEST(PowerLawRouting, LargerExponentsSkewMore) {
  const RoutingShape shape{.tokens = 4096, .experts = 128, .topk = 8};
  const auto busiest_tenth = [&](double alpha) {
    int64_t total = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      auto counts = power_law_counts(shape, alpha, Redistribution::per_rank, seed);
      std::sort(counts.rbegin(), counts.rend());
      total += std::accumulate(counts.begin(), counts.begin() + 13, int64_t{0});
    }
    return total;
  };
  EXPECT_LT(busiest_tenth(0.6), busiest_tenth(1.01));
  EXPECT_LT(busiest_tenth(1.01), busiest_tenth(1.2));
}

TEST(PowerLawRouting, FixedOrderFillsOneExpertBeforeTheNext) {
  // Few, heavy experts: much is cut off. Round-robin spreads it; the fixed order fills the lightest completely.
  const RoutingShape shape{.tokens = 1000, .experts = 16, .topk = 8};
  int differ = 0, more_full = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto spread = power_law_counts(shape, 2.0, Redistribution::per_rank, seed);
    const auto filled = power_law_counts(shape, 2.0, Redistribution::fixed_order, seed);
    const auto full = [&](const std::vector<int64_t>& counts) {
      return std::count(counts.begin(), counts.end(), shape.tokens);
    };
    differ += spread != filled;
    more_full += full(filled) > full(spread);
  }
  EXPECT_GT(differ, 10);
  EXPECT_GT(more_full, 10);
}

TEST(TokenAssignment, HotExpertsAreFirstChoicesOfRuns) {
  EXPECT_THAT(assign_tokens({.tokens = 4, .experts = 3, .topk = 2}, {1, 4, 3}),
              ElementsAre(1, 2, 1, 2, 1, 2, 1, 0));
}

RC_GTEST_PROP(Eplb, TotalsAreExactAndNoSlotTakesATokenTwice, ()) {
  const Draw draw;
  const int64_t slots = draw.shape.experts + draw.shape.ep * *rc::gen::inRange<int64_t>(0, 4);
  const SlotPlacement placed = place_experts(draw.shape, draw.counts(), slots);
  RC_ASSERT(placed.expert.size() == size_t(slots));
  RC_ASSERT(sum(placed.counts) == draw.shape.assignments());
  for (const int64_t count : placed.counts) RC_ASSERT(count <= draw.shape.tokens);
  const std::set<int64_t> held(placed.expert.begin(), placed.expert.end());
  RC_ASSERT(held.size() == size_t(draw.shape.experts));
  RC_ASSERT(counted(assign_tokens(draw.shape, placed.counts), draw.shape.topk, slots) == placed.counts);
}

RC_GTEST_PROP(Eplb, LoadsAreNoLessBalancedThanWithout, ()) {
  const Draw draw;
  const auto counts = draw.counts();
  const auto before = rank_loads(counts, draw.shape.ep);
  const auto after = rank_loads(place_experts(draw.shape, counts, draw.shape.experts).counts, draw.shape.ep);
  const int64_t worst = *std::max_element(before.begin(), before.end());
  // Longest-processing-time placement is within 4/3 of the best there is; never worse than a lucky draw by more.
  RC_ASSERT(*std::max_element(after.begin(), after.end()) * 3 <= worst * 4);
}

TEST(Eplb, EvensOutSkewedLoadsAndReplicasEvenThemMore) {
  const RoutingShape shape{.tokens = 2048, .experts = 256, .topk = 8, .ep = 32};
  const auto worst = [&](const std::vector<int64_t>& counts) {
    const auto loads = rank_loads(counts, shape.ep);
    EXPECT_EQ(loads[0], *std::max_element(loads.begin(), loads.end()));
    return loads[0];
  };
  const auto counts = power_law_counts(shape, 1.2, Redistribution::per_rank, 3);
  const int64_t placed = worst(place_experts(shape, counts, 256).counts);
  const int64_t replicated = worst(place_experts(shape, counts, 288).counts);
  EXPECT_LT(placed, worst(counts));
  EXPECT_LE(replicated, placed);
  EXPECT_LT(double(replicated), 1.1 * double(shape.assignments()) / double(shape.ep));
}

TEST(RankView, KeepsTokensWithAChoiceOnRankZero) {
  const RankView view = rank_zero_view({0, 5, 3, 4, 1, 0}, 2, 2);
  EXPECT_THAT(view.tokens, ElementsAre(0, 2));
  EXPECT_THAT(view.ids, ElementsAre(0, -1, 1, 0));
  EXPECT_THAT(view.counts, ElementsAre(2, 1));
}

TEST(RouterLogits, ChosenExpertsAreTheLargestAndEqual) {
  const auto logits = logits_of({2, 0, 1, 3}, 2, 4);
  EXPECT_EQ(logits[0], logits[2]);
  EXPECT_GT(logits[0], logits[1]);
  EXPECT_EQ(logits[1], logits[3]);
  EXPECT_NEAR(logits[0] + logits[1] + logits[2] + logits[3], 1, 1e-6);
  EXPECT_GT(logits[4 + 1], logits[4 + 0]);
}

RC_GTEST_PROP(ExpectedLoad, IsExactForBalancedTokens, ()) {
  const RoutingShape shape = any_shape();
  const auto view = rank_zero_view(balanced_ids(shape), shape.topk, shape.experts_per_rank());
  const ExpectedLoad load = expected_load(shape, {});
  const auto untouched = std::count(view.counts.begin(), view.counts.end(), 0);
  RC_ASSERT(load.experts == double(shape.experts_per_rank() - untouched));
  // The mean over ranks is what most ranks have; rank 0 differs by less than one stride of each choice.
  RC_ASSERT(std::abs(load.assignments - double(sum(view.counts))) <= double(shape.experts));
}

TEST(ExpectedLoad, IsTheMeanOverDrawsForAPowerLaw) {
  for (const auto& [tokens, experts, topk, ep] :
       {std::tuple{1, 256, 8, 8}, {8, 256, 8, 1}, {16, 128, 8, 4}, {64, 256, 8, 8}, {512, 512, 22, 16}}) {
    const RoutingShape shape{tokens, experts, topk, ep};
    double touched = 0, assigned = 0;
    constexpr int kDraws = 100;
    for (uint64_t seed = 0; seed < kDraws; ++seed) {
      const auto counts = power_law_counts(shape, 1.2, Redistribution::per_rank, seed);
      const auto local = shape.experts_per_rank();
      touched += double(local - std::count(counts.begin(), counts.begin() + local, 0)) / kDraws;
      assigned += double(rank_loads(counts, shape.ep)[0]) / kDraws;
    }
    const ExpectedLoad load = expected_load(shape, {.alpha = 1.2});
    EXPECT_LE(load.experts, 1.02 * touched);  // rank 0 is hotter than the mean
    EXPECT_GE(load.experts, 0.85 * touched);
    EXPECT_GE(assigned, load.assignments);  // rank 0 is the hottest
  }
}

}  // namespace
}  // namespace perfatlas
