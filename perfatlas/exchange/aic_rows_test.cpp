// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "perfatlas/exchange/aic_vocabulary.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

class AicRowsTest : public testing::Test {
 protected:
  Row published(const char* op, const FieldValues& values, double ms, const char* kernel) const {
    Row row{.c = {&ops_.get(op), values}};
    row.kernel_source = kernel;
    row.measured = {ms};
    return row;
  }
  Row measured(const char* op, const FieldValues& values, double ms, const char* kernel,
               CacheState state = CacheState::serving) const {
    Row row = published(op, values, ms, kernel);
    row.quality = RowQuality{.samples = 10, .cache_state = state, .case_id = case_id(row.c)};
    return row;
  }
  static FieldValues gemm(int64_t m, Quant dtype = Quant::bf16) {
    return encode(Gemm{.dtype = dtype, .m = m, .n = 64, .k = 64});
  }
  AicRows select(const char* op, const std::vector<Row>& rows, const AicRowRules& rules = {}) const {
    return rows_for_aic(ops_.get(op), rows, rules);
  }

  OpRegistry ops_ = all_ops();
};

TEST_F(AicRowsTest, TheFastestKernelOfAKeyCountsAndTheOthersAreCounted) {
  const AicRows found = select("gemm", {measured("gemm", gemm(8), 3, "a"), measured("gemm", gemm(8), 2, "b"),
                                        measured("gemm", gemm(16), 4, "a")});
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[0].kernel_source, "b");
  EXPECT_EQ(latency_ms(found.rows[0]), 2);
  EXPECT_EQ(found.left_out,
            (std::map<std::string, int64_t>{{"slower than another kernel or launch mode", 1}}));
}

TEST_F(AicRowsTest, OtherCacheStatesKernelsAndUnknownTypesAreLeftOutByName) {
  const std::vector<Row> rows = {measured("gemm", gemm(8), 1, "a", CacheState::hot),
                                 measured("gemm", gemm(8), 2, "b"), measured("gemm", gemm(8), 3, "a"),
                                 measured("gemm", gemm(8, Quant::f32), 3, "a")};
  const AicRows found = select("gemm", rows, {.cache_state = CacheState::serving, .kernel = "a"});
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(latency_ms(found.rows[0]), 3);
  EXPECT_EQ(found.left_out,
            (std::map<std::string, int64_t>{{"measured in cache state hot, not serving", 1},
                                            {"measured with kernel b, not a", 1},
                                            {"gemm_dtype float32 is unknown to aiconfigurator", 1}}));
}

TEST_F(AicRowsTest, KernelsThatWinPartsOfACurveBecomeOneCurve) {
  const auto attention = [](int64_t isl) {
    return encode(AttentionContext{.batch = 1, .isl = isl, .heads = 8, .kv_heads = 4});
  };
  const AicRows found =
      select("attention_context", {measured("attention_context", attention(16), 1, "blocked"),
                                   measured("attention_context", attention(32), 2, "streaming")});
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[0].kernel_source, kAicDefaultKernel);
  EXPECT_EQ(found.rows[1].kernel_source, kAicDefaultKernel);
}

TEST_F(AicRowsTest, PublishedKernelsStayApart) {
  const FieldValues values = encode(AttentionContext{.batch = 1, .isl = 16, .heads = 8, .kv_heads = 4});
  const AicRows found = select("attention_context", {published("attention_context", values, 2, "fa3"),
                                                     published("attention_context", values, 1, "triton"),
                                                     published("attention_context", values, 9, "fa3")});
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(latency_ms(found.rows[0]), 2);
  EXPECT_EQ(found.rows[1].kernel_source, "triton");
  EXPECT_EQ(found.left_out, (std::map<std::string, int64_t>{{"its key occurs twice", 1}}));
}

TEST_F(AicRowsTest, SixteenBitAllReducesOfALibraryAreThoseOfTheFramework) {
  const auto call = [](CollectiveKind kind, MessageType type) {
    return encode(Collective{.kind = kind, .dtype = type, .ranks = 4, .elements = 4096});
  };
  const std::vector<Row> made =
      all_reduces_of(ops_.get("custom_all_reduce"),
                     {measured("collective", call(CollectiveKind::all_reduce, MessageType::half), 1, "a"),
                      measured("collective", call(CollectiveKind::all_reduce, MessageType::int8), 2, "a"),
                      measured("collective", call(CollectiveKind::all_gather, MessageType::half), 3, "a")});
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(decode<CustomAllReduce>(made[0].c.values),
            (CustomAllReduce{.dtype = MessageType::bf16, .ranks = 4, .elements = 4096}));
  EXPECT_EQ(made[0].quality->case_id, case_id(made[0].c));
}

TEST_F(AicRowsTest, EveryRowIsWrittenOrCounted) {
  EXPECT_TRUE(rc::check([&](const std::vector<std::pair<uint8_t, uint8_t>>& picks) {
    std::vector<Row> rows;
    for (const auto& [a, b] : picks)
      rows.push_back(
          measured("gemm", gemm(1 + a % 4, Quant(b % 8)), 1 + b, b % 2 ? "a" : "b", CacheState(b % 3)));
    const AicRows found = select("gemm", rows);
    int64_t counted = int64_t(found.rows.size());
    for (const auto& [reason, count] : found.left_out) counted += count;
    RC_ASSERT(counted == int64_t(rows.size()));
    for (const Row& row : found.rows) {
      RC_ASSERT(why_unknown_to_aic(row.c).empty());
      RC_ASSERT(std::all_of(rows.begin(), rows.end(), [&](const Row& other) {
        return !(other.c == row.c) || other.quality->cache_state != CacheState::serving ||
               latency_ms(other) >= latency_ms(row);
      }));
    }
  }));
}

}  // namespace
}  // namespace perfatlas
