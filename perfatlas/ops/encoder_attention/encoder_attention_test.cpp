// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/encoder_attention/encoder_attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace perfatlas {
namespace {

std::vector<EncoderAttention> published(const AicGrid& grid) {
  std::vector<EncoderAttention> cases;
  EncoderAttention::aic_cases(grid, [&](const EncoderAttention& op) { cases.push_back(op); });
  return cases;
}

TEST(EncoderAttention, PublishedGridHasTheKnownCountForEveryFramework) {
  for (const auto& framework : kEnumNames<AicFramework>)
    for (const int sm : {90, 100}) EXPECT_EQ(published({sm, framework.value}).size(), 7679) << framework.name;
  std::set<FieldValues> seen;
  for (const EncoderAttention& op : published({})) {
    EXPECT_EQ(op.why_invalid(), "");
    EXPECT_TRUE(seen.insert(encode(op)).second);
  }
}

TEST(EncoderAttention, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<EncoderAttention>();
  EXPECT_EQ(
      fields_text(make_case<EncoderAttention>(type, {.batch = 1, .isl = 4096, .heads = 2, .head_dim = 72})),
      "batch_size=1 isl=4096 num_heads=2 head_dim=72 attn_dtype=bfloat16");
}

TEST(EncoderAttention, WorkOfASmallCaseByHand) {
  const Work work = EncoderAttention{.batch = 2, .isl = 3, .heads = 4, .head_dim = 8}.work();
  EXPECT_EQ(work.flops, 4.0 * 2 * 4 * 8 * 3 * 3);
  EXPECT_EQ(work.activation_bytes_read, 3.0 * 2 * 3 * 4 * 8 * 2);
  EXPECT_EQ(work.bytes_written, 2.0 * 3 * 4 * 8 * 2);
  EXPECT_EQ(work.streamed_bytes(), 0);
}

RC_GTEST_PROP(EncoderAttention, EqualTokensAreNotEqualWork, ()) {
  // The axis decision: the same number of tokens in fewer, longer sequences is more arithmetic.
  EncoderAttention op{.heads = *rc::gen::inRange<int64_t>(1, 32), .head_dim = 64};
  op.batch = 2 * *rc::gen::inRange<int64_t>(1, 16), op.isl = *rc::gen::inRange<int64_t>(1, 4096);
  EncoderAttention longer = op;
  longer.batch /= 2, longer.isl *= 2;
  RC_ASSERT(longer.work().flops == 2 * op.work().flops);
  RC_ASSERT(longer.work().bytes() == op.work().bytes());
}

TEST(EncoderAttention, SenselessCasesSayWhy) {
  EXPECT_NE(EncoderAttention{.batch = 0}.why_invalid(), "");
  EXPECT_NE(EncoderAttention{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(EncoderAttention{}.why_invalid(), "");
}

TEST(EncoderAttention, ModelGridKeepsTheHeadsAndTheTokenBudget) {
  const OpType type = make_op_type<EncoderAttention>();
  ModelShapes shapes;
  shapes.add(make_case(type, EncoderAttention{.heads = 16, .head_dim = 72}));
  std::vector<EncoderAttention> cases;
  EncoderAttention::model_cases(shapes, [&](const EncoderAttention& op) { cases.push_back(op); });
  EXPECT_FALSE(cases.empty());
  for (const EncoderAttention& op : cases) {
    EXPECT_LE(op.batch * op.isl, 131072);
    EXPECT_EQ(op.heads, 16);
    EXPECT_EQ(op.head_dim, 72);
  }
}

TEST(EncoderReference, TheFirstTokenSeesTheLastOne) {
  // Head size 1, two tokens: scores 0 and ln 3, so weights 1/4 and 3/4 for both queries.
  const EncoderAttention op{.isl = 2, .head_dim = 1, .dtype = DType::f32};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) data.push_back({operand, std::vector<float>(2, 0.0F), {}});
  data[EncoderAttention::q_at].values = {1, 1};
  data[EncoderAttention::k_at].values = {0, std::log(3.0F)};
  data[EncoderAttention::v_at].values = {4, 8};
  op.reference(data);
  EXPECT_FLOAT_EQ(data[EncoderAttention::out_at].values[0], 7);
  EXPECT_FLOAT_EQ(data[EncoderAttention::out_at].values[1], 7);
}

}  // namespace
}  // namespace perfatlas
