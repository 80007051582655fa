// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace perfatlas {
namespace {

template <class Op>
std::vector<Op> published(int sm_version, AicFramework framework = AicFramework::trtllm) {
  std::vector<Op> cases;
  Op::aic_cases({sm_version, framework}, [&](const Op& op) { cases.push_back(op); });
  return cases;
}

template <class Op>
std::vector<Op> of_model(const Op& prototype) {
  const OpType type = make_op_type<Op>();
  ModelShapes shapes;
  shapes.add(make_case(type, prototype));
  std::vector<Op> cases;
  Op::model_cases(shapes, [&](const Op& op) { cases.push_back(op); });
  return cases;
}

template <class Op>
bool all_valid_and_distinct(const std::vector<Op>& cases) {
  std::set<FieldValues> seen;
  return std::all_of(cases.begin(), cases.end(), [&](const Op& op) {
    return op.why_invalid().empty() && seen.insert(encode(op)).second;
  });
}

TEST(AttentionContext, PublishedGridHasTheKnownCounts) {
  EXPECT_EQ(published<AttentionContext>(90).size(), 50643);
  EXPECT_EQ(published<AttentionContext>(100).size(), 47430);
  EXPECT_EQ(published<AttentionContext>(80).size(), 50643 / 3);  // no fp8
  EXPECT_TRUE(all_valid_and_distinct(published<AttentionContext>(90)));
}

TEST(AttentionGeneration, PublishedGridHasTheKnownCounts) {
  EXPECT_EQ(published<AttentionGeneration>(90).size(), 30114);
  EXPECT_EQ(published<AttentionGeneration>(100).size(), 29346);
  EXPECT_EQ(published<AttentionGeneration>(80).size(), 30114 / 2);
  EXPECT_TRUE(all_valid_and_distinct(published<AttentionGeneration>(90)));
}

TEST(AttentionContext, PublishedGridsOfOtherFrameworksHaveTheKnownCounts) {
  for (const int sm : {90, 100}) {
    EXPECT_EQ(published<AttentionContext>(sm, AicFramework::sglang).size(), 16881);
    EXPECT_EQ(published<AttentionContext>(sm, AicFramework::vllm).size(), 10914);
  }
  EXPECT_EQ(published<AttentionContext>(89, AicFramework::sglang).size(), 16881 / 3);
  EXPECT_EQ(published<AttentionContext>(86, AicFramework::vllm).size(), 10914 / 2);
  EXPECT_TRUE(all_valid_and_distinct(published<AttentionContext>(90, AicFramework::sglang)));
  std::set<FieldValues> distinct;
  for (const AttentionContext& op : published<AttentionContext>(90, AicFramework::vllm))
    distinct.insert(encode(op));
  EXPECT_EQ(distinct.size(), 10914 - 816);  // heads 1, 2, 4, 8 with as many kv heads are listed twice
}

TEST(AttentionGeneration, PublishedGridsOfOtherFrameworksHaveTheKnownCounts) {
  for (const int sm : {90, 100})
    EXPECT_EQ(published<AttentionGeneration>(sm, AicFramework::sglang).size(), 10186);
  EXPECT_EQ(published<AttentionGeneration>(90, AicFramework::vllm).size(), 10870);
  EXPECT_EQ(published<AttentionGeneration>(100, AicFramework::vllm).size(), 8774);
  EXPECT_EQ(published<AttentionGeneration>(86, AicFramework::vllm).size(), 10870 / 2);
  EXPECT_TRUE(all_valid_and_distinct(published<AttentionGeneration>(90, AicFramework::sglang)));
  EXPECT_TRUE(all_valid_and_distinct(published<AttentionGeneration>(90, AicFramework::vllm)));
}

TEST(AttentionContext, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<AttentionContext>();
  EXPECT_EQ(
      fields_text(make_case<AttentionContext>(type, {.batch = 2,
                                                     .isl = 512,
                                                     .heads = 32,
                                                     .kv_heads = 8,
                                                     .window = 128,
                                                     .kv_dtype = DType::fp8_e4m3,
                                                     .step = 64})),
      "batch_size=2 isl=512 num_heads=32 num_key_value_heads=8 head_dim=128 window_size=128 beam_width=1 "
      "attn_dtype=bfloat16 kv_cache_dtype=fp8 step=64");
}

TEST(AttentionGeneration, ColumnsAreThoseOfContext) {
  const OpType context = make_op_type<AttentionContext>(), generation = make_op_type<AttentionGeneration>();
  ASSERT_EQ(context.fields.size(), generation.fields.size());
  for (size_t i = 0; i < context.fields.size(); ++i) {
    EXPECT_EQ(context.fields[i].column, generation.fields[i].column);
    EXPECT_EQ(context.fields[i].flag, generation.fields[i].flag);
  }
}

TEST(AttentionContext, MultiHeadRowsShareASliceOverAllHeadCounts) {
  const OpType type = make_op_type<AttentionContext>();
  FieldValues values = encode(AttentionContext{.heads = 8, .kv_heads = 8});
  const SliceKey slice = type.slice_of(values);
  type.axes[0].set(values, 32);
  EXPECT_EQ(decode<AttentionContext>(values).kv_heads, 32);
  EXPECT_EQ(type.slice_of(values), slice);
}

TEST(AttentionContext, GroupedRowsKeepTheirKvHeadsAlongTheHeadAxis) {
  const OpType type = make_op_type<AttentionContext>();
  FieldValues values = encode(AttentionContext{.heads = 32, .kv_heads = 8});
  type.axes[0].set(values, 64);
  EXPECT_EQ(decode<AttentionContext>(values).kv_heads, 8);
}

TEST(AttentionGeneration, ContextLengthIsNewAndCachedTokens) {
  const OpType type = make_op_type<AttentionGeneration>();
  FieldValues values = encode(AttentionGeneration{.step = 2047});
  EXPECT_EQ(type.axes[2].name, "s");
  EXPECT_EQ(type.axes[2].get(values), 2048);
  type.axes[2].set(values, 100);
  EXPECT_EQ(decode<AttentionGeneration>(values).step, 99);
}

TEST(AttentionContext, WorkOfASmallCaseByHand) {
  // 3 new tokens after 2 cached ones see 3, 4 and 5 tokens; 4 query heads, 2 kv heads of 8 elements, 2 sequences.
  const AttentionContext op{.batch = 2, .isl = 3, .heads = 4, .kv_heads = 2, .head_dim = 8, .step = 2};
  const Work work = op.work();
  EXPECT_EQ(work.flops, 4.0 * 2 * 4 * 8 * (3 + 4 + 5));
  EXPECT_EQ(work.kv_bytes_read, 2.0 * 2 * (2 * 2 * 8) * 2);     // 2 prefix tokens, key and value, bf16
  EXPECT_EQ(work.kv_bytes_written, 2.0 * 3 * (2 * 2 * 8) * 2);  // 3 new tokens
  EXPECT_EQ(work.activation_bytes_read, 2.0 * 3 * (4 + 2 * 2) * 8 * 2 + 2 * 4);  // q, k, v and one page each
  EXPECT_EQ(work.bytes_written, 2.0 * 3 * 4 * 8 * 2);
  EXPECT_EQ(work.math, DType::bf16);
}

TEST(AttentionGeneration, WorkOfASmallCaseByHand) {
  const AttentionGeneration op{
      .batch = 3, .heads = 8, .kv_heads = 1, .head_dim = 64, .window = 16, .step = 100};
  const Work work = op.work();
  EXPECT_EQ(work.flops, 4.0 * 3 * 8 * 64 * 16);  // the window holds the new token and 15 cached ones
  EXPECT_EQ(work.kv_bytes_read, 3.0 * 15 * 2 * 64 * 2);
  EXPECT_EQ(work.kv_bytes_written, 3.0 * 1 * 2 * 64 * 2);
}

TEST(AttentionGeneration, EightBitCacheHalvesTheTrafficNotTheActivations) {
  const AttentionGeneration wide{.batch = 4, .heads = 8, .kv_heads = 2, .step = 1000};
  AttentionGeneration narrow = wide;
  narrow.kv_dtype = DType::fp8_e4m3;
  EXPECT_EQ(narrow.work().kv_bytes_read * 2, wide.work().kv_bytes_read);
  EXPECT_EQ(narrow.work().activation_bytes(), wide.work().activation_bytes());
}

RC_GTEST_PROP(AttentionShape, PairsAndPrefixEqualBruteForce, ()) {
  AttentionShape s;
  s.isl = *rc::gen::inRange<int64_t>(1, 60);
  s.step = *rc::gen::inRange<int64_t>(0, 60);
  s.window = *rc::gen::inRange<int64_t>(0, 130);
  double pairs = 0;
  std::set<int64_t> prefix;
  for (int64_t at = s.step; at < s.step + s.isl; ++at)
    for (int64_t key = 0; key <= at; ++key) {
      if (s.window > 0 && at - key >= s.window) continue;
      ++pairs;
      if (key < s.step) prefix.insert(key);
    }
  RC_ASSERT(s.pairs() == pairs);
  RC_ASSERT(s.prefix_read() == int64_t(prefix.size()));
}

TEST(AttentionShape, OperandsHoldEveryTokenInWholePages) {
  const AttentionContext op{.batch = 3, .isl = 10, .heads = 8, .kv_heads = 2, .head_dim = 80, .step = 60};
  const Operands operands = op.operands();
  EXPECT_THAT(operands[q_at].shape, testing::ElementsAre(30, 8, 80));
  EXPECT_THAT(operands[k_cache_at].shape, testing::ElementsAre(6, 2, kPageTokens, 80));
  EXPECT_TRUE(operands[v_cache_at].written);
  EXPECT_THAT(operands[page_table_at].shape, testing::ElementsAre(3, 2));
  EXPECT_EQ(operands[page_table_at].fill, Fill::page_table);
  EXPECT_EQ(operands[out_at].shape, operands[q_at].shape);
}

TEST(AttentionShape, EightBitTypesComeFromSixteenBitActivations) {
  const AttentionContext op{.dtype = DType::fp8_e4m3, .kv_dtype = DType::fp8_e4m3};
  EXPECT_EQ(op.operands()[q_at].dtype, DType::bf16);
  EXPECT_EQ(op.operands()[k_cache_at].dtype, DType::fp8_e4m3);
}

TEST(AttentionShape, SenselessCasesSayWhy) {
  EXPECT_NE(AttentionContext{.batch = 0}.why_invalid(), "");
  EXPECT_NE(AttentionContext{.beams = 2}.why_invalid(), "");
  EXPECT_NE((AttentionContext{.heads = 6, .kv_heads = 4}.why_invalid()), "");
  EXPECT_NE(AttentionContext{.step = -1}.why_invalid(), "");
  EXPECT_NE(AttentionContext{.dtype = DType::int4}.why_invalid(), "");
  EXPECT_NE(AttentionGeneration{.isl = 2}.why_invalid(), "");
  EXPECT_EQ(AttentionGeneration{.step = 0}.why_invalid(), "");
}

TEST(AttentionContext, ModelGridStaysWithinTheTokenBudget) {
  const auto grouped = of_model<AttentionContext>({.heads = 32, .kv_heads = 8, .window = 128});
  const auto multi_head = of_model<AttentionContext>({.heads = 32, .kv_heads = 32});
  EXPECT_TRUE(all_valid_and_distinct(grouped));
  const auto tokens = [](const AttentionContext& op) { return op.batch * op.isl; };
  EXPECT_TRUE(std::all_of(grouped.begin(), grouped.end(), [&](auto& op) { return tokens(op) <= 131072; }));
  EXPECT_TRUE(
      std::all_of(multi_head.begin(), multi_head.end(), [&](auto& op) { return tokens(op) <= 65536; }));
  EXPECT_THAT(grouped, testing::Contains(testing::Field(&AttentionContext::isl, 32768)));
  EXPECT_THAT(grouped, testing::Each(testing::Field(&AttentionContext::window, 128)));
}

TEST(AttentionGeneration, ModelGridStaysWithinTheTokenBudget) {
  const auto cases = of_model<AttentionGeneration>({.heads = 16, .kv_heads = 8});
  EXPECT_TRUE(all_valid_and_distinct(cases));
  EXPECT_TRUE(std::all_of(cases.begin(), cases.end(), [](const AttentionGeneration& op) {
    return op.batch * (op.step + 1) * op.heads <= 2 * 8192 * 1024 && op.step > 0;
  }));
  EXPECT_THAT(cases, testing::Contains(testing::Field(&AttentionGeneration::batch, 256)));
}

TEST(AttentionReference, OneTokenAttendsOnlyToItself) {
  const AttentionGeneration op{.head_dim = 2, .dtype = DType::f32, .kv_dtype = DType::f32, .step = 0};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements()), 1.0F), {0}});
  data[v_at].values = {3, -4};
  op.reference(data);
  EXPECT_THAT(data[out_at].values, testing::ElementsAre(3, -4));
  EXPECT_EQ(data[v_cache_at].values[0], 3);  // the new token is in the cache
  EXPECT_EQ(data[v_cache_at].values[2], 1);  // the next slot is untouched
}

TEST(AttentionReference, WeightsFollowTheScoresAndTheWindow) {
  // One cached token and a new one, head size 1: scores q*k = 0 and ln 3, so weights 1/4 and 3/4.
  AttentionContext op{.head_dim = 1, .dtype = DType::f32, .kv_dtype = DType::f32, .step = 1};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements()), 0.0F), {0}});
  data[q_at].values = {1};
  data[k_at].values = {std::log(3.0F)};
  data[v_at].values = {8};
  data[v_cache_at].values[0] = 4;
  op.reference(data);
  EXPECT_FLOAT_EQ(data[out_at].values[0], 0.25F * 4 + 0.75F * 8);
  op.window = 1;
  op.reference(data);
  EXPECT_FLOAT_EQ(data[out_at].values[0], 8);
}

}  // namespace
}  // namespace perfatlas
