// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/learned_cost.h"

#include <gtest/gtest.h>

#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

class LearnedCostTest : public testing::Test {
 protected:
  Case gemm(int64_t m) const { return make_case(ops.get("gemm"), Gemm{.m = m}); }
  Case norm(int64_t tokens) const {
    return make_case(ops.get("add_rms_norm"), AddRmsNorm{.tokens = tokens, .hidden = 8});
  }
  const OpRegistry ops = all_ops();
  /// Expected: one second per row.
  LearnedCost cost{[](const Case& c) {
    return c.op->info.id == "gemm" ? double(decode<Gemm>(c.values).m)
                                   : double(decode<AddRmsNorm>(c.values).tokens);
  }};
};

TEST_F(LearnedCostTest, BeforeAnythingIsKnownThePriorCounts) {
  cost.expect(gemm(3));
  cost.expect(norm(4));
  EXPECT_DOUBLE_EQ(cost.remaining_s(), 7);
}

TEST_F(LearnedCostTest, WhatIsDoneOrDroppedIsNoLongerLeft) {
  for (const int64_t m : {1, 2, 3}) cost.expect(gemm(m));
  cost.learn(gemm(2), 2);
  cost.drop(gemm(3));
  EXPECT_DOUBLE_EQ(cost.remaining_s(), 1);
}

TEST_F(LearnedCostTest, AnOpThatTakesTenTimesLongerIsExpectedToGoOnSo) {
  for (int64_t m = 1; m <= 100; ++m) cost.expect(gemm(m));
  for (int64_t m = 1; m <= 99; ++m) cost.learn(gemm(m), 10 * double(m));
  EXPECT_NEAR(cost.remaining_s(), 1000, 1);
  EXPECT_NEAR(cost.seconds_of(gemm(5)), 50, 1);
}

TEST_F(LearnedCostTest, OpsKeepTheirOwnFactors) {
  for (int i = 0; i < 100; ++i) {
    cost.expect(gemm(10));
    cost.expect(norm(10));
    cost.learn(gemm(10), 100);
    cost.learn(norm(10), 1);
  }
  EXPECT_NEAR(cost.seconds_of(gemm(10)), 100, 2);
  EXPECT_NEAR(cost.seconds_of(norm(10)), 1, 1);
}

TEST_F(LearnedCostTest, AnOpNotYetSeenIsExpectedToBeLikeTheOthers) {
  cost.expect(gemm(10));
  cost.learn(gemm(10), 30);
  EXPECT_DOUBLE_EQ(cost.seconds_of(norm(10)), 30);
}

}  // namespace
}  // namespace perfatlas
