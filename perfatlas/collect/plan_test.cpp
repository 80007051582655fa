// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <random>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/collect/plan_counts.h"
#include "perfatlas/collect/toy_grid_test.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

PlanRequest aic_gemm() { return {.ops = {"gemm"}, .grid = GridKind::aic}; }

PlanRequest toy(int batches) { return {.grid = GridKind::aic, .aic = {.sm_version = batches}}; }

std::vector<uint64_t> ids_of(const Plan& plan) {
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < plan.size(); ++i) ids.push_back(plan.id(i));
  return ids;
}

TEST(Plan, PublishedGemmGridHasItsCounts) {
  const OpRegistry ops = all_ops();
  const auto counts = plan_summary(make_plan(ops, aic_gemm()));
  const std::vector<PlanCount> expected = {
      {"gemm", "bfloat16", 35742}, {"gemm", "fp8", 35742}, {"gemm", "fp8_block", 29526}};
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(plan_json({counts[0]}), R"([{"op":"gemm","dtype":"bfloat16","cases":35742}])");
}

TEST(Plan, NoCaseTwiceAndNoInvalidCase) {
  const OpRegistry ops = all_ops();
  const Plan plan = make_plan(ops, aic_gemm());
  const auto ids = ids_of(plan);
  EXPECT_EQ(std::set<uint64_t>(ids.begin(), ids.end()).size(), ids.size());
  for (size_t i = 0; i < plan.size(); i += 97)
    EXPECT_TRUE(plan.at(i).op->why_invalid(plan.at(i).values).empty());
}

TEST(Plan, RepeatedShapesAreOneCase) {
  const OpRegistry ops = all_ops();
  PlanRequest request{.ops = {"gemm", "gemm"}};
  request.shapes.add(make_case(ops.get("gemm"), Gemm{.n = 64, .k = 32}));
  request.shapes.add(
      make_case(ops.get("gemm"), Gemm{.m = 7, .n = 64, .k = 32}));  // m does not matter to a model
  EXPECT_EQ(make_plan(ops, request).size(), std::size(kTokenLadder));
}

TEST(Plan, FastIdEqualsCaseId) {
  const OpRegistry toys = toy_registry(), ops = all_ops();
  const Plan plans[] = {make_plan(toys, toy(1)), make_plan(ops, aic_gemm())};
  for (const Plan& plan : plans)
    for (size_t i = 0; i < plan.size(); i += 101) ASSERT_EQ(plan.id(i), case_id(plan.at(i)));
}

TEST(Plan, ShardsHoldEveryCaseExactlyOnce) {
  const OpRegistry toys = toy_registry();
  PlanRequest request = toy(1);
  const auto whole = ids_of(make_plan(toys, request));
  std::multiset<uint64_t> joined;
  for (uint64_t i = 0; i < 7; ++i) {
    request.shard = {i, 7};
    const Plan shard = make_plan(toys, request);
    EXPECT_NEAR(double(shard.size()), double(whole.size()) / 7, double(whole.size()) / 50);
    EXPECT_EQ(shard.hash(), make_plan(toys, toy(1)).hash());
    for (const uint64_t id : ids_of(shard)) joined.insert(id);
  }
  EXPECT_EQ(joined, std::multiset<uint64_t>(whole.begin(), whole.end()));
}

TEST(Plan, LevelsNeverDecreaseAndCornersComeFirst) {
  const OpRegistry toys = toy_registry();
  const Plan plan = make_plan(toys, toy(20));
  int level = 0;
  std::map<int, size_t> count;
  for (size_t i = 0; i < plan.size(); ++i) {
    ASSERT_GE(plan.level(i), level);
    level = plan.level(i);
    ++count[level];
    const Case c = plan.at(i);
    const auto toy_case = decode<ToyGrid>(c.values);
    const bool batch_edge = toy_case.batch == 1 || toy_case.batch == 20;
    const bool isl_edge = toy_case.isl == 16 || toy_case.isl == 1600;
    ASSERT_EQ(level == 0, batch_edge && isl_edge) << case_text(c);
  }
  // valid slices: 2 dtypes x 10 x 5 x 2; octaves of batch 1 2 4 8 16 (20), of isl 16 32 64 128 256 512 1024 (1600)
  EXPECT_EQ(count[0], size_t{200 * 4});
  EXPECT_EQ(count[0] + count[1], size_t{200 * 6 * 8});
}

TEST(Plan, EverySiteOfASitesTableIsInLevelZero) {
  const OpRegistry ops = all_ops();
  const Plan plan = make_plan(ops, aic_gemm());
  std::set<std::tuple<int64_t, int64_t, int64_t>> first, all;
  for (size_t i = 0; i < plan.size(); ++i) {
    const auto g = decode<Gemm>(plan.at(i).values);
    all.insert({int64_t(g.dtype), g.n, g.k});
    if (plan.level(i) == 0) first.insert({int64_t(g.dtype), g.n, g.k});
  }
  EXPECT_EQ(first, all);
}

TEST(Plan, SeedChangesTheOrderButNotTheCases) {
  const OpRegistry toys = toy_registry();
  PlanRequest request = toy(1);
  const Plan a = make_plan(toys, request), same = make_plan(toys, request);
  request.seed = 43;
  const Plan b = make_plan(toys, request);
  EXPECT_EQ(ids_of(a), ids_of(same));
  EXPECT_NE(ids_of(a), ids_of(b));
  EXPECT_EQ(a.hash(), b.hash());
}

TEST(Plan, OpsTakeTurns) {
  OpRegistry both;
  both.add(make_op_type<Gemm>());
  both.add(make_op_type<ToyGrid>());
  const Plan plan = make_plan(both, toy(2));
  ASSERT_EQ(plan.level(999), 0);
  for (size_t i = 0; i + 1 < 500; i += 2) EXPECT_NE(plan.at(i).op, plan.at(i + 1).op);
}

TEST(Plan, LimitAndFilterNarrow) {
  const OpRegistry ops = all_ops();
  PlanRequest request = aic_gemm();
  request.limit_per_op = 10;
  EXPECT_EQ(make_plan(ops, request).size(), size_t{10});
  request.limit_per_op = 0;
  request.case_filters = {"gemm_dtype=fp8 m=16 n=32 ", "no such text"};
  EXPECT_EQ(make_plan(ops, request).size(), size_t{22});
}

TEST(Plan, BadRequestsAreUsageErrors) {
  const OpRegistry ops = all_ops();
  EXPECT_THROW(make_plan(ops, {.ops = {"gem"}}), UsageError);
  for (const char* bad : {"", "0/2", "3/2", "1", "a/b", "1/2/3", "1/2:", "1/2:3/2", "1/2:1/2:1/2"})
    EXPECT_THROW(parse_shard(bad), UsageError) << bad;
  EXPECT_EQ(parse_shard("2/8"), (Shard{1, 8}));
  EXPECT_EQ(parse_shard("2/8:1/3"), (Shard{1, 8, 0, 3}));
  for (const char* text : {"1/1", "2/8", "2/8:1/3"}) EXPECT_EQ(format_shard(parse_shard(text)), text);
}

TEST(Plan, PiecesTogetherAreTheirShard) {
  const OpRegistry ops = toy_registry();
  PlanRequest request = toy(1);
  request.shard = {2, 7};
  const Plan shard = make_plan(ops, request);
  std::set<uint64_t> pieces;
  size_t cases = 0;
  for (uint64_t piece = 0; piece < 3; ++piece) {
    request.shard = {2, 7, piece, 3};
    const Plan part = make_plan(ops, request);
    cases += part.size();
    EXPECT_NEAR(double(part.size()), double(shard.size()) / 3, double(shard.size()) / 10);
    for (size_t i = 0; i < part.size(); ++i) pieces.insert(part.id(i));
  }
  EXPECT_EQ(cases, shard.size());
  EXPECT_EQ(pieces.size(), shard.size());
}

TEST(Plan, KeepsTheOrderOfGivenCases) {
  const OpRegistry ops = all_ops();
  std::vector<Case> cases;
  for (const int64_t m : {5, 3, 9}) cases.push_back(make_case(ops.get("gemm"), Gemm{.m = m}));
  const Plan plan = plan_of(cases);
  for (size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(plan.at(i), cases[i]);
}

RC_GTEST_PROP(CodedColumn, GivesBackWhatWasPut, ()) {
  const auto spread = *rc::gen::element<int64_t>(1, 200, 300, 70000);
  std::mt19937_64 random(*rc::gen::arbitrary<uint64_t>());
  std::vector<int64_t> values(*rc::gen::inRange<size_t>(1, 3000));
  for (int64_t& value : values) value = int64_t(random() % uint64_t(spread)) - spread / 2;
  CodedColumn column;
  for (const int64_t value : values) column.push_back(value);
  column.shrink();
  for (size_t i = 0; i < values.size(); ++i) RC_ASSERT(column.at(i) == values[i]);
}

TEST(CodedColumn, WidensPastSixteenBits) {
  CodedColumn column;
  for (int64_t i = 0; i < 70000; ++i) column.push_back(-i);
  column.shrink();
  for (int64_t i = 0; i < 70000; ++i) ASSERT_EQ(column.at(size_t(i)), -i);
}

}  // namespace
}  // namespace perfatlas
