// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/collect/validate_impl.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"

namespace perfatlas {
namespace {

class TokenSpreadTest : public testing::Test {
 protected:
  template <class Op>
  void add(const Op& op, double ms) {
    Row row;
    row.c = make_case(ops.get(Op::info.id), op);
    row.kernel_source = std::string(1, 'k');
    row.measured = {ms};
    if (rows.empty()) rows.emplace_back(*row.c.op);
    rows.back().add(row, {});
  }
  std::vector<TokenSpread> spread() {
    rows.back().finish();
    ValidateReport report;
    add_token_spread(rows, report);
    return report.token_spread;
  }
  const OpRegistry ops = all_ops();
  std::vector<CheckedRows> rows;  // of one op
};

TEST_F(TokenSpreadTest, AnOpWhoseTimeFollowsTheTokensHasASpreadOfOne) {
  add(KvCacheWrite{.batch = 1, .isl = 64}, 2);
  add(KvCacheWrite{.batch = 8, .isl = 8}, 2);
  add(KvCacheWrite{.batch = 64, .isl = 1}, 2);
  const auto spreads = spread();
  ASSERT_EQ(spreads.size(), 1u);
  EXPECT_EQ(spreads[0].groups, 1u);
  EXPECT_DOUBLE_EQ(spreads[0].max, 1);
}

TEST_F(TokenSpreadTest, AttentionAtEqualTokensDiffers) {
  add(AttentionContext{.batch = 1, .isl = 64}, 8);
  add(AttentionContext{.batch = 8, .isl = 8}, 2);
  add(AttentionContext{.batch = 2, .isl = 8}, 1);
  add(AttentionContext{.batch = 1, .isl = 16}, 2);
  const auto spreads = spread();
  ASSERT_EQ(spreads.size(), 1u);
  EXPECT_EQ(spreads[0].groups, 2u);
  EXPECT_DOUBLE_EQ(spreads[0].p50, 3);
  EXPECT_DOUBLE_EQ(spreads[0].max, 4);
}

TEST_F(TokenSpreadTest, RowsOfOtherHeadsAreNotCompared) {
  add(AttentionContext{.batch = 1, .isl = 64, .heads = 8}, 8);
  add(AttentionContext{.batch = 8, .isl = 8, .heads = 16}, 2);
  EXPECT_THAT(spread(), testing::IsEmpty());
}

}  // namespace
}  // namespace perfatlas
