// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/activation/activation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perfatlas {
namespace {

using enum ActivationKind;

std::vector<float> result_of(ActivationKind kind, std::vector<float> x) {
  Activation op{.kind = kind, .dtype = DType::f32};
  op.inter = int64_t(x.size()) / (op.gated() ? 2 : 1);
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  data[0].values = x;
  op.reference(data);
  return data[1].values;
}

/// Values of the functions from their papers' formulas, by a calculator.
TEST(Activation, ReferenceHasKnownValues) {
  using testing::FloatNear;
  using testing::Pointwise;
  EXPECT_THAT(result_of(silu_mul, {1, -2, 3, 10}), Pointwise(FloatNear(1e-4F), {2.193176F, -2.384058F}));
  EXPECT_THAT(result_of(gelu_mul, {1, -2, 3, 10}), Pointwise(FloatNear(1e-4F), {2.523576F, -0.454023F}));
  EXPECT_THAT(result_of(gelu, {0, 1}), Pointwise(FloatNear(1e-4F), {0.0F, 0.841192F}));
  EXPECT_THAT(result_of(relu2, {-3, 3}), Pointwise(FloatNear(1e-6F), {0.0F, 9.0F}));
}

TEST(Activation, WorkIsTokenEquivalentAndReadsTheGate) {
  const Activation op{.kind = silu_mul, .tokens = 4, .inter = 100};
  EXPECT_EQ(op.work().activation_bytes_read, 4 * 200 * 2);
  EXPECT_EQ(op.work().bytes_written, 4 * 100 * 2);
  EXPECT_EQ((Activation{.kind = relu2, .tokens = 4, .inter = 100}.work().bytes()), 4 * 200 * 2);
  EXPECT_EQ((Activation{.kind = silu_mul, .tokens = 40, .inter = 100}.work().bytes()),
            10 * op.work().bytes());
}

TEST(Activation, ModelGridSweepsTheTokenLadder) {
  const OpType type = make_op_type<Activation>();
  ModelShapes shapes;
  shapes.add(make_case<Activation>(type, {.kind = relu2, .inter = 1024}));
  std::vector<int64_t> tokens;
  Activation::model_cases(shapes, [&](const Activation& op) {
    EXPECT_EQ(op.kind, relu2);
    tokens.push_back(op.tokens);
  });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kTokenLadder));
}

TEST(Activation, SenselessCasesSayWhy) {
  EXPECT_NE(Activation{.tokens = 0}.why_invalid(), "");
  EXPECT_NE(Activation{.inter = 0}.why_invalid(), "");
  EXPECT_NE(Activation{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(Activation{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
