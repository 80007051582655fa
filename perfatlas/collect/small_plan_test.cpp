// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/small_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/collect/plan.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

PlanRequest small_gemm() { return {.ops = {"gemm"}, .grid = GridKind::aic, .kind = PlanKind::small}; }

std::vector<uint64_t> ids_of(const Plan& plan) {
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < plan.size(); ++i) ids.push_back(plan.id(i));
  return ids;
}

TEST(SmallPlan, TakesATenthOfEachGemmTypeAndKeepsFamiliesInStep) {
  const OpRegistry ops = all_ops();
  const Plan plan = make_plan(ops, small_gemm());
  std::map<int64_t, size_t> per_type;
  for (size_t i = 0; i < plan.size(); ++i) {
    ++per_type[plan.at(i).values[0]];
    ASSERT_TRUE(plan.place(i).has_value());
  }
  const Plan whole = make_plan(ops, {.ops = {"gemm"}, .grid = GridKind::aic});
  std::map<int64_t, size_t> whole_type;
  for (size_t i = 0; i < whole.size(); ++i) ++whole_type[whole.at(i).values[0]];
  for (const auto& [type, cases] : per_type)
    EXPECT_NEAR(double(cases), .1 * double(whole_type[type]), 1) << type;
  // After half of the plan, half of every type.
  std::map<int64_t, size_t> half;
  for (size_t i = 0; i < plan.size() / 2; ++i) ++half[plan.at(i).values[0]];
  for (const auto& [type, cases] : half) EXPECT_NEAR(double(cases), double(per_type[type]) / 2, 2);
}

TEST(SmallPlan, ShardsTogetherAreThePlanInItsOrder) {
  const OpRegistry ops = all_ops();
  const Plan whole = make_plan(ops, small_gemm());
  std::map<uint64_t, size_t> position;
  for (size_t i = 0; i < whole.size(); ++i) position[whole.id(i)] = i;
  size_t cases = 0;
  for (uint64_t shard = 0; shard < 3; ++shard) {
    PlanRequest request = small_gemm();
    request.shard = {shard, 3};
    const Plan part = make_plan(ops, request);
    EXPECT_EQ(part.hash(), whole.hash());
    EXPECT_EQ(part.total(), whole.size());
    cases += part.size();
    for (size_t i = 0; i < part.size(); ++i) {
      ASSERT_EQ(part.place(i), whole.place(position.at(part.id(i))));
      if (i == 0) continue;
      ASSERT_LT(position.at(part.id(i - 1)), position.at(part.id(i)));
    }
  }
  EXPECT_EQ(cases, whole.size());
}

TEST(SmallPlan, FamiliesBelowTwoThousandAreWhole) {
  const OpRegistry ops = all_ops();
  PlanRequest request = small_gemm();
  request.case_filters = {"gemm_dtype=bfloat16 m=16 "};
  const Plan plan = make_plan(ops, request);
  EXPECT_EQ(plan.size(), 483u);
  for (size_t i = 0; i < plan.size(); ++i) EXPECT_FALSE(plan.place(i)->audit);
}

TEST(SmallPlan, ShapesOfModelsComeLastEvenWhereTheGridNamesThemToo) {
  const OpRegistry ops = all_ops();
  PlanRequest request = small_gemm();
  request.case_filters = {"gemm_dtype=bfloat16 "};
  const Plan without = make_plan(ops, request);
  request.shapes.add(make_case(ops.get("gemm"), Gemm{.m = kPrototypeTokens, .n = 4096, .k = 4096}));
  request.shapes.add(make_case(ops.get("gemm"), Gemm{.m = kPrototypeTokens, .n = 6000, .k = 1000}));
  request.add_models = true;
  const Plan with = make_plan(ops, request);
  const auto a = ids_of(without), b = ids_of(with);
  ASSERT_GT(b.size(), a.size());
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
  std::set<uint64_t> all(b.begin(), b.end());
  EXPECT_EQ(all.size(), b.size());
  for (const int64_t tokens : kTokenLadder)
    for (const auto& [n, k] : {std::pair{4096, 4096}, {6000, 1000}})
      EXPECT_TRUE(all.contains(case_id(make_case(ops.get("gemm"), Gemm{.m = tokens, .n = n, .k = k}))));
}

TEST(SmallPlan, BadSharesAreUsageErrors) {
  SmallPlanOptions options;
  options.shares["gemm"] = 0;
  EXPECT_THROW(check_shares(options, {"gemm"}), UsageError);
  options.shares["gemm"] = 1.5;
  EXPECT_THROW(check_shares(options, {"gemm"}), UsageError);
  options.shares = {{"gem", .5}};
  EXPECT_THROW(check_shares(options, {"gemm"}), UsageError);
}

}  // namespace
}  // namespace perfatlas
