// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace perfatlas {
namespace {

/// Published cases per direction.
std::pair<size_t, size_t> published(const AicGrid& grid) {
  std::set<FieldValues> pre, post;
  MlaBmm::aic_cases(grid, [&](const MlaBmm& op) {
    EXPECT_EQ(op.why_invalid(), "");
    (op.direction == MlaBmmDirection::pre ? pre : post).insert(encode(op));
  });
  return {pre.size(), post.size()};
}

TEST(MlaBmm, PublishedGridHasTheKnownCounts) {
  using enum AicFramework;
  EXPECT_EQ(published({90, trtllm}), std::pair(size_t{400}, size_t{448}));
  EXPECT_EQ(published({100, trtllm}), std::pair(size_t{200}, size_t{224}));
  EXPECT_EQ(published({86, trtllm}), std::pair(size_t{200}, size_t{224}));
  EXPECT_EQ(published({90, vllm}), std::pair(size_t{0}, size_t{0}));
}

TEST(MlaBmm, TheDirectionIsTheOpNameColumn) {
  const OpType type = make_op_type<MlaBmm>();
  EXPECT_EQ(fields_text(make_case<MlaBmm>(type, {.tokens = 768, .heads = 4})),
            "op_name=mla_gen_pre bmm_dtype=bfloat16 num_tokens=768 num_heads=4");
  EXPECT_EQ(fields_text(make_case<MlaBmm>(type, {.direction = MlaBmmDirection::post, .dtype = Quant::fp8})),
            "op_name=mla_gen_post bmm_dtype=fp8 num_tokens=1 num_heads=128");
}

TEST(MlaBmm, WorkOfASmallCaseByHand) {
  const Work pre = MlaBmm{.tokens = 3, .heads = 2}.work();
  EXPECT_EQ(pre.flops, 2.0 * 3 * 2 * 128 * 512);
  EXPECT_EQ(pre.weight_bytes_read, 2.0 * 128 * 512 * 2);
  EXPECT_EQ(pre.activation_bytes_read, 3.0 * 2 * 128 * 2);
  EXPECT_EQ(pre.bytes_written, 3.0 * 2 * 512 * 2);
  const Work post =
      MlaBmm{.direction = MlaBmmDirection::post, .dtype = Quant::fp8, .tokens = 3, .heads = 2}.work();
  EXPECT_EQ(post.flops, pre.flops);
  EXPECT_EQ(post.weight_bytes_read, pre.weight_bytes_read / 2);
  EXPECT_EQ(post.activation_bytes_read, pre.bytes_written);
  EXPECT_EQ(post.math, DType::fp8_e4m3);
}

RC_GTEST_PROP(MlaBmm, WorkIsTokenEquivalent, ()) {
  // The axis decision: everything but the weights is proportional to the tokens, however batch and sequence share them.
  MlaBmm op{.heads = *rc::gen::inRange<int64_t>(1, 129)};
  op.tokens = *rc::gen::inRange<int64_t>(1, 4096);
  const auto times = double(op.tokens);
  const Work work = op.work();
  op.tokens = 1;
  const Work one = op.work();
  RC_ASSERT(work.flops == times * one.flops);
  RC_ASSERT(work.activation_bytes() == times * one.activation_bytes());
  RC_ASSERT(work.weight_bytes_read == one.weight_bytes_read);
}

TEST(MlaBmm, OperandsTurnHeadsOfOneWidthIntoTheOther) {
  using testing::ElementsAre;
  const Operands pre = MlaBmm{.tokens = 5, .heads = 3}.operands();
  EXPECT_THAT(pre[MlaBmm::x_at].shape, ElementsAre(5, 3, 128));
  EXPECT_THAT(pre[MlaBmm::w_at].shape, ElementsAre(3, 128, 512));
  EXPECT_THAT(pre[MlaBmm::y_at].shape, ElementsAre(5, 3, 512));
  const Operands post = MlaBmm{.direction = MlaBmmDirection::post, .tokens = 5, .heads = 3}.operands();
  EXPECT_EQ(post[MlaBmm::x_at].shape, pre[MlaBmm::y_at].shape);
  EXPECT_EQ(post[MlaBmm::y_at].shape, pre[MlaBmm::x_at].shape);
}

TEST(MlaBmm, SenselessCasesSayWhy) {
  EXPECT_NE(MlaBmm{.tokens = 0}.why_invalid(), "");
  EXPECT_NE(MlaBmm{.heads = 0}.why_invalid(), "");
}

TEST(MlaBmm, ModelGridSweepsTheBatch) {
  const OpType type = make_op_type<MlaBmm>();
  ModelShapes shapes;
  shapes.add(make_case(type, MlaBmm{.heads = 16}));
  std::vector<int64_t> tokens;
  MlaBmm::model_cases(shapes, [&](const MlaBmm& op) {
    EXPECT_EQ(op.heads, 16);
    tokens.push_back(op.tokens);
  });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kBatchLadder));
}

TEST(MlaBmmReference, EveryHeadHasItsOwnWeights) {
  const MlaBmm op{.dtype = Quant::f32, .tokens = 1, .heads = 2};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements()), 0.0F), {}});
  data[MlaBmm::x_at].values[3] = 2;                        // head 0, element 3
  data[MlaBmm::x_at].values[128 + 3] = 2;                  // head 1, element 3
  data[MlaBmm::w_at].values[3 * 512 + 7] = 5;              // head 0: 3 to 7
  data[MlaBmm::w_at].values[128 * 512 + 3 * 512 + 8] = 7;  // head 1: 3 to 8
  op.reference(data);
  EXPECT_EQ(data[MlaBmm::y_at].values[7], 10);
  EXPECT_EQ(data[MlaBmm::y_at].values[512 + 8], 14);
  EXPECT_EQ(data[MlaBmm::y_at].values[512 + 7], 0);
}

}  // namespace
}  // namespace perfatlas
