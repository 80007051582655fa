// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

TEST(AddRmsNorm, WorkIsTrafficOnly) {
  const Work work = AddRmsNorm{.dtype = DType::bf16, .tokens = 3, .hidden = 100}.work();
  EXPECT_EQ(work.flops, 0);
  EXPECT_EQ(work.weight_bytes_read, 200);
  EXPECT_EQ(work.activation_bytes_read, 2 * 600);
  EXPECT_EQ(work.bytes_written, 2 * 600);
}

TEST(AddRmsNorm, ReferenceAddsThenNormalises) {
  const AddRmsNorm op{.dtype = DType::f32, .tokens = 1, .hidden = 2};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  data[0].values = {1, 3};
  data[1].values = {2, 1};
  data[2].values = {1, 10};
  op.reference(data);
  EXPECT_THAT(data[1].values, testing::ElementsAre(3, 4));
  const float rms = std::sqrt((9.0F + 16.0F) / 2);
  EXPECT_NEAR(data[3].values[0], 3 / rms, 1e-5);
  EXPECT_NEAR(data[3].values[1], 40 / rms, 1e-5);
}

TEST(AddRmsNorm, ModelGridSweepsTheTokenLadder) {
  const OpType type = make_op_type<AddRmsNorm>();
  ModelShapes shapes;
  shapes.add(make_case<AddRmsNorm>(type, {.hidden = 1024}));
  std::vector<int64_t> tokens;
  AddRmsNorm::model_cases(shapes, [&](const AddRmsNorm& op) { tokens.push_back(op.tokens); });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kTokenLadder));
}

TEST(AddRmsNorm, SenselessCasesSayWhy) {
  EXPECT_NE(AddRmsNorm{.tokens = 0}.why_invalid(), "");
  EXPECT_NE(AddRmsNorm{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(AddRmsNorm{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
