// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/table.h"

#include <gtest/gtest.h>

#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

class OpTableTest : public testing::Test {
 protected:
  OpTableTest() {
    system_.memory_bandwidth.measured = 100e9;
    system_.flops[DType::bf16].measured = 1e12;
  }
  Row row(int64_t m, double latency_ms, std::string kernel, RowState state = CacheState::serving) const {
    Row made{.c = make_case(op_, Gemm{.m = m, .n = 64, .k = 64}), .kernel_source = std::move(kernel)};
    made.measured = {latency_ms};
    if (state) made.quality = RowQuality{.samples = 10, .rel_ci95 = 0.01, .cache_state = *state};
    return made;
  }
  FieldValues at(int64_t m) const { return row(m, 1, "").c.values; }
  OpTable table(std::vector<Row> rows) const { return OpTable(op_, std::move(rows), &system_); }

  OpType op_ = make_op_type<Gemm>();
  SystemSpec system_;
};

TEST_F(OpTableTest, FastestKernelAnswersUnlessOneIsAsked) {
  OpTable t = table({row(8, 2.0, "jit"), row(8, 1.0, "brgemm"), row(16, 3.0, "jit"), row(16, 4.0, "brgemm")});
  const TableSlice* best = t.find(at(8), CacheState::serving);
  ASSERT_NE(best, nullptr);
  EXPECT_EQ(best->estimate(at(8)).latency_ms, 1.0);
  EXPECT_EQ(best->row(best->estimate(at(16)).support()[0].point).kernel_source, "jit");
  EXPECT_EQ(t.find(at(8), CacheState::serving, "jit")->estimate(at(8)).latency_ms, 2.0);
  EXPECT_EQ(t.find(at(8), CacheState::serving, "ref"), nullptr);
  EXPECT_EQ(t.kernels_of(at(8), CacheState::serving), (std::vector<std::string>{"brgemm", "jit"}));
}

TEST_F(OpTableTest, CacheStatesAndForeignRowsAreNeverMixed) {
  OpTable t = table({row(8, 3.0, "k", CacheState::cold), row(8, 2.0, "k"), row(8, 1.0, "k", CacheState::hot),
                     row(8, 0.5, "k", std::nullopt)});
  EXPECT_EQ(t.find(at(8), CacheState::cold)->estimate(at(8)).latency_ms, 3.0);
  EXPECT_EQ(t.find(at(8), CacheState::serving)->estimate(at(8)).latency_ms, 2.0);
  EXPECT_EQ(t.find(at(8), CacheState::hot)->estimate(at(8)).latency_ms, 1.0);
  EXPECT_EQ(t.find(at(8), std::nullopt)->estimate(at(8)).latency_ms, 0.5);
  EXPECT_EQ(t.states_of(at(8)).size(), 4u);
}

TEST_F(OpTableTest, FirstOfTwoRowsOfOneIdentityCounts) {
  OpTable t = table({row(8, 2.0, "k", std::nullopt), row(8, 1.0, "k", std::nullopt)});
  EXPECT_EQ(t.find(at(8), std::nullopt)->estimate(at(8)).latency_ms, 2.0);
}

TEST_F(OpTableTest, WhatContradictsTheRowThatCountsIsKnownAndOtherKernelsDoNot) {
  OpTable t = table({row(8, 2.0, "k"), row(8, 3.0, "k"), row(16, 2.0, "k"), row(16, 2.0, "k"),
                     row(32, 5.0, "k"), row(32, 6.0, "k"), row(32, 4.0, "other")});
  const TableSlice* const slice = t.find(at(8), CacheState::serving);
  EXPECT_EQ(slice->contradicting_ms(slice->estimate(at(8)).support()[0].point), 3.0);
  EXPECT_EQ(slice->contradicting_ms(slice->estimate(at(16)).support()[0].point), std::nullopt)
      << "the same again";
  EXPECT_EQ(slice->contradicting_ms(slice->estimate(at(32)).support()[0].point), std::nullopt)
      << "another kernel is faster";
}

TEST_F(OpTableTest, EnergyOfZeroWattsIsUnknown) {
  Row dark = row(8, 2.0, "k", std::nullopt), lit = row(16, 2.0, "k", std::nullopt);
  dark.power_w = 0;
  lit.power_w = 150;
  OpTable t = table({dark, lit});
  const TableSlice* slice = t.find(at(8), std::nullopt);
  EXPECT_FALSE(slice->estimate(at(8)).energy_mj);
  EXPECT_EQ(slice->estimate(at(16)).energy_mj, 300.0);
  EXPECT_FALSE(slice->estimate(at(12)).energy_mj);
}

TEST_F(OpTableTest, ErrorBarOfAMeasuredRowIsItsOwn) {
  OpTable t = table({row(8, 2.0, "k"), row(16, 2.0, "k", std::nullopt)});
  const TableSlice* own = t.find(at(8), CacheState::serving);
  EXPECT_EQ(own->relative_error(own->estimate(at(8))), 0.01);
  const TableSlice* foreign = t.find(at(16), std::nullopt);
  EXPECT_EQ(foreign->relative_error(foreign->estimate(at(16))), std::nullopt);
}

TEST_F(OpTableTest, ErrorBarBetweenRowsComesFromTheSlice) {
  std::vector<Row> rows;  // a staircase: every value twice, so that neighbours mispredict each other
  for (int64_t m = 1; m <= 40; ++m) rows.push_back(row(m * 8, double((m + 1) / 2), "k"));
  OpTable t = table(rows);
  const TableSlice* slice = t.find(at(8), CacheState::serving);
  const auto error = slice->relative_error(slice->estimate(at(8 * 20 + 4)));
  ASSERT_TRUE(error);
  EXPECT_GT(*error, 0.01);
  EXPECT_LT(*error, 0.2);
  OpTable sparse = table({row(8, 1, "k"), row(32, 2, "k")});
  const TableSlice* two = sparse.find(at(8), CacheState::serving);
  EXPECT_FALSE(two->relative_error(two->estimate(at(16))));  // two rows teach nothing
}

TEST_F(OpTableTest, RowsBelowTheSpeedOfLightAreRaised) {
  const double bound = 64.0 * 64 * 2 / 100e9 * 1e3;  // the weights from memory
  OpTable t = table({row(1, bound / 2, "k")});
  const TableSlice* slice = t.find(at(1), CacheState::serving);
  EXPECT_TRUE(slice->raised(0));
  EXPECT_DOUBLE_EQ(slice->estimate(at(1)).latency_ms, bound);
}

}  // namespace
}  // namespace perfatlas
