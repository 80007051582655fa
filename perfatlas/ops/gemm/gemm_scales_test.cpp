// SPDX-License-Identifier: Apache-2.0
// The scales of the quantised modes, as the reference applies them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

std::vector<HostOperand> ones_for(const Gemm& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements()), 1.0F), {}});
  return data;
}

TEST(GemmScales, OnlyModesThatMultiplyByScalesHaveThem) {
  for (const EnumName<Quant>& quant : kEnumNames<Quant>) {
    const bool scaled =
        quant.value == Quant::int8 || quant.value == Quant::int8_wo || quant.value == Quant::int4_wo;
    EXPECT_EQ((Gemm{quant.value, 8, 8, 256}.operands().size() > 3), scaled) << quant.name;
  }
}

TEST(GemmScales, Int8HasOneOfTheActivationsAndOnePerColumn) {
  const Gemm op{Quant::int8, 1, 2, 4};
  std::vector<HostOperand> data = ones_for(op);
  data[3].values = {10};
  data[4].values = {2, 3};
  op.reference(data);
  EXPECT_THAT(data[2].values, testing::ElementsAre(80, 120));
}

TEST(GemmScales, Int8WeightsHaveOnePerRow) {
  const Gemm op{Quant::int8_wo, 1, 2, 4};
  std::vector<HostOperand> data = ones_for(op);
  data[3].values = {2, 3};
  op.reference(data);
  EXPECT_THAT(data[2].values, testing::ElementsAre(8, 12));
}

TEST(GemmScales, Int4WeightsHaveOnePerRowAndGroup) {
  const Gemm op{Quant::int4_wo, 1, 2, kInt4Group + 2};
  std::vector<HostOperand> data = ones_for(op);
  EXPECT_EQ(data[3].declared.shape, (std::vector<int64_t>{2, 2}));
  data[3].values = {1, 10, 2, 20};
  op.reference(data);
  EXPECT_THAT(data[2].values, testing::ElementsAre(128 + 20, 256 + 40));
}

}  // namespace
}  // namespace perfatlas
