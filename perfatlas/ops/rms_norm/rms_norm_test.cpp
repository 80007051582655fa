// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/rms_norm/rms_norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

TEST(RmsNorm, WorkIsTrafficOnlyAndTokenEquivalent) {
  const Work work = RmsNorm{.dtype = DType::bf16, .tokens = 3, .hidden = 100}.work();
  EXPECT_EQ(work.flops, 0);
  EXPECT_EQ(work.weight_bytes_read, 200);
  EXPECT_EQ(work.activation_bytes(), 2 * 600);
  const Work tenfold = RmsNorm{.dtype = DType::bf16, .tokens = 30, .hidden = 100}.work();
  EXPECT_EQ(tenfold.activation_bytes(), 10 * work.activation_bytes());
  EXPECT_EQ(tenfold.weight_bytes_read, work.weight_bytes_read);
}

TEST(RmsNorm, ReferenceDividesByTheRootOfTheMeanSquare) {
  const RmsNorm op{.dtype = DType::f32, .tokens = 1, .hidden = 2};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  data[0].values = {3, 4};
  data[1].values = {1, 10};
  op.reference(data);
  const float rms = std::sqrt((9.0F + 16.0F) / 2);
  EXPECT_NEAR(data[2].values[0], 3 / rms, 1e-5);
  EXPECT_NEAR(data[2].values[1], 40 / rms, 1e-5);
}

TEST(RmsNorm, ModelGridSweepsTheTokenLadder) {
  const OpType type = make_op_type<RmsNorm>();
  ModelShapes shapes;
  shapes.add(make_case<RmsNorm>(type, {.hidden = 1024}));
  std::vector<int64_t> tokens;
  RmsNorm::model_cases(shapes, [&](const RmsNorm& op) { tokens.push_back(op.tokens); });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kTokenLadder));
}

TEST(RmsNorm, SenselessCasesSayWhy) {
  EXPECT_NE(RmsNorm{.tokens = 0}.why_invalid(), "");
  EXPECT_NE(RmsNorm{.hidden = 0}.why_invalid(), "");
  EXPECT_NE(RmsNorm{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(RmsNorm{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
