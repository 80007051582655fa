// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/rope/rope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

std::vector<HostOperand> content_of(const Rope& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) {
    HostOperand content{operand, std::vector<float>(size_t(operand.elements())), {}};
    content.indices.resize(operand.dtype == DType::int32 ? content.values.size() : 0);
    if (operand.content) operand.content(1, content);
    data.push_back(content);
  }
  return data;
}

TEST(Rope, TurnsEachPairByThePositionTimesItsFrequency) {
  const Rope op{.dtype = DType::f32, .tokens = 1, .head_dim = 5, .rotary_dim = 4, .positions = 10};
  std::vector<HostOperand> data = content_of(op);
  data[0].values = {1, 2, 3, 4, 5};
  data[1].values = {0, 1, 0, 0, 7};
  data[3].indices = {3};
  op.reference(data);
  const double first = 3, second = 3 / std::sqrt(10000.0);
  EXPECT_THAT(data[0].values, testing::Pointwise(testing::FloatNear(1e-5F),
                                                 {float(std::cos(first) - 3 * std::sin(first)),
                                                  float(2 * std::cos(second) - 4 * std::sin(second)),
                                                  float(3 * std::cos(first) + std::sin(first)),
                                                  float(4 * std::cos(second) + 2 * std::sin(second)), 5.0F}));
  EXPECT_THAT(data[1].values,
              testing::Pointwise(testing::FloatNear(1e-5F),
                                 {0.0F, float(std::cos(second)), 0.0F, float(std::sin(second)), 7.0F}));
}

TEST(Rope, LatentKeysAreTheRotatedPartAlone) {
  const Rope op{.dtype = DType::f32, .head_dim = 6, .rotary_dim = 2, .rotary_offset = 3, .positions = 2};
  EXPECT_EQ(op.operands()[1].shape, (std::vector<int64_t>{1, 1, 2}));
  std::vector<HostOperand> data = content_of(op);
  data[0].values = {1, 1, 1, 1, 0, 1};
  data[1].values = {0, 1};
  data[3].indices = {1};
  op.reference(data);
  const float c = std::cos(1.0F), s = std::sin(1.0F);
  EXPECT_THAT(data[0].values, testing::Pointwise(testing::FloatNear(1e-6F), {1.0F, 1.0F, 1.0F, c, s, 1.0F}));
  EXPECT_THAT(data[1].values, testing::Pointwise(testing::FloatNear(1e-6F), {-s, c}));
}

TEST(Rope, PositionsStayWithinTheTable) {
  const Rope op{.tokens = 1000, .head_dim = 8, .rotary_dim = 8, .positions = 7};
  const std::vector<HostOperand> data = content_of(op);
  EXPECT_THAT(data[3].indices, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(7))));
  EXPECT_THAT(data[3].indices, testing::Contains(6));
}

TEST(Rope, WorkIsTokenEquivalentAndLeavesUnrotatedElementsAlone) {
  const Rope op{.tokens = 10, .heads = 32, .kv_heads = 8, .rotary_dim = 64};
  const double rotated = 10 * 40 * 64 * 2, table = 10 * (64 * 4 + 4);
  EXPECT_EQ(op.work().bytes(), 2 * rotated + table);
  Rope tenfold = op;
  tenfold.tokens = 100;
  EXPECT_EQ(tenfold.work().bytes(), 10 * op.work().bytes());
}

TEST(Rope, ModelGridSweepsTheTokenLadder) {
  const OpType type = make_op_type<Rope>();
  ModelShapes shapes;
  shapes.add(make_case<Rope>(type, {.heads = 32, .kv_heads = 8}));
  std::vector<int64_t> tokens;
  Rope::model_cases(shapes, [&](const Rope& op) {
    EXPECT_EQ(op.heads, 32);
    tokens.push_back(op.tokens);
  });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kTokenLadder));
}

TEST(Rope, SenselessCasesSayWhy) {
  EXPECT_NE(Rope{.tokens = 0}.why_invalid(), "");
  EXPECT_EQ((Rope{.heads = 3, .kv_heads = 2}.why_invalid()), "kv_heads must divide heads");
  EXPECT_EQ((Rope{.rotary_dim = 63}.why_invalid()), "rotary_dim must be positive and even");
  EXPECT_EQ((Rope{.rotary_offset = -1}.why_invalid()), "rotary_offset must not be negative");
  EXPECT_EQ((Rope{.head_dim = 128, .rotary_dim = 64, .rotary_offset = 65}.why_invalid()),
            "the rotated elements must lie within the head");
  EXPECT_NE(Rope{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(Rope{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
