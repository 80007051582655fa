// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/quantize/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perfatlas {
namespace {

template <class Op>
std::vector<HostOperand> zeros_for(const Op& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  return data;
}

TEST(Quantize, TheLargestMagnitudeBecomesTheLargestValue) {
  for (const Quant quant : {Quant::fp8, Quant::int8}) {
    const ComputeScale op{.m = 2, .k = 2, .dtype = quant};
    std::vector<HostOperand> data = zeros_for(op);
    data[0].values = {1, -896, 3, 2};
    op.reference(data);
    EXPECT_THAT(data[1].values, testing::ElementsAre(float(quant == Quant::fp8 ? 2 : 896.0 / 127)));
  }
}

TEST(Quantize, BlocksHaveAScalePerRowAndGroup) {
  const ComputeScale op{.m = 2, .k = 129, .dtype = Quant::fp8_block};
  std::vector<HostOperand> data = zeros_for(op);
  EXPECT_EQ(data[1].declared.shape, (std::vector<int64_t>{2, 2}));
  data[0].values[127] = 448;
  data[0].values[128] = 896;
  data[0].values[129] = -1344;
  op.reference(data);
  EXPECT_THAT(data[1].values, testing::ElementsAre(1, 2, 3, float(kSmallestScale)));
}

TEST(Quantize, RowsHaveAScaleEach) {
  const ComputeScale op{.m = 2, .k = 129, .dtype = Quant::fp8_rowwise};
  std::vector<HostOperand> data = zeros_for(op);
  EXPECT_EQ(data[1].declared.shape, (std::vector<int64_t>{2, 1}));
  data[0].values[3] = 448;
  data[0].values[128] = -896;
  data[0].values[129] = 1344;
  op.reference(data);
  EXPECT_THAT(data[1].values, testing::ElementsAre(2, 3));
}

TEST(Quantize, ScalingDividesRoundsAndSaturates) {
  const ScaleMatrix op{.m = 1, .k = 4, .dtype = Quant::int8};
  std::vector<HostOperand> data = zeros_for(op);
  data[0].values = {1, 5, -1000, 1000};
  data[1].values = {2};
  op.reference(data);
  EXPECT_THAT(data[2].values, testing::ElementsAre(0, 2, -128, 127));
}

TEST(Quantize, BlocksAreDividedByTheirOwnScale) {
  const ScaleMatrix op{.m = 1, .k = 130, .dtype = Quant::fp8_block};
  std::vector<HostOperand> data = zeros_for(op);
  data[0].values[127] = data[0].values[128] = 6;
  data[1].values = {2, 3};
  op.reference(data);
  EXPECT_EQ(data[2].values[127], 3);
  EXPECT_EQ(data[2].values[128], 2);
}

/// The formulas of the published speed of light: 2*m*k and 3*m*k bytes, but for the scales.
TEST(Quantize, WorkIsTokenEquivalentTraffic) {
  EXPECT_EQ((ComputeScale{.m = 10, .k = 256}.work().bytes()), 2 * 10 * 256 + 4);
  EXPECT_EQ((ScaleMatrix{.m = 10, .k = 256}.work().bytes()), 3 * 10 * 256 + 4);
  const auto bytes = [](int64_t m) {
    return ScaleMatrix{.m = m, .k = 256, .dtype = Quant::fp8_block}.work().bytes();
  };
  EXPECT_EQ(bytes(100), 100 * bytes(1));
}

TEST(Quantize, GivenScalesSaturateFewOfNormalElements) {
  for (const Quant quant : {Quant::fp8, Quant::int8}) {
    const Operand scale = ScaleMatrix{.dtype = quant}.operands()[1];
    HostOperand content{scale, std::vector<float>(1), {}};
    scale.content(3, content);
    const double largest = quant == Quant::fp8 ? 448 : 127;
    EXPECT_THAT(content.values[0] * largest, testing::AllOf(testing::Ge(2.999), testing::Le(5.001)));
  }
}

TEST(Quantize, PublishedGridHas1628CasesFromSm89On) {
  const auto count = [](int sm_version) {
    int64_t compute = 0, scale = 0;
    ComputeScale::aic_cases({.sm_version = sm_version}, [&](const ComputeScale& op) {
      EXPECT_EQ(op.dtype, Quant::fp8);
      ++compute;
    });
    ScaleMatrix::aic_cases({.sm_version = sm_version}, [&](const ScaleMatrix&) { ++scale; });
    EXPECT_EQ(compute, scale);
    return compute;
  };
  EXPECT_EQ(count(90), 1628);
  EXPECT_EQ(count(100), 1628);
  EXPECT_EQ(count(89), 1628);
  EXPECT_EQ(count(86), 0);
}

TEST(Quantize, ModelGridSweepsTheTokenLadder) {
  const OpType type = make_op_type<ScaleMatrix>();
  ModelShapes shapes;
  shapes.add(make_case<ScaleMatrix>(type, {.k = 1024, .dtype = Quant::fp8_block}));
  std::vector<int64_t> tokens;
  ScaleMatrix::model_cases(shapes, [&](const ScaleMatrix& op) {
    EXPECT_EQ(op.dtype, Quant::fp8_block);
    tokens.push_back(op.m);
  });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kTokenLadder));
}

TEST(Quantize, SenselessCasesSayWhy) {
  EXPECT_EQ(ComputeScale{.m = 0}.why_invalid(), "m and k must be positive");
  EXPECT_EQ(ScaleMatrix{.dtype = Quant::nvfp4}.why_invalid(),
            "quant_dtype must be fp8, int8, fp8_rowwise or fp8_block");
  EXPECT_EQ(ScaleMatrix{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
