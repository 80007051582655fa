// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_blocks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

constexpr DType kBlockTypes[] = {DType::q8_0, DType::q4_0, DType::q4_k, DType::q6_k};

double error_on_normal_values(DType dtype) {
  SeededNumbers numbers(7);
  std::vector<float> values(256 * 64);
  for (float& value : values) value = numbers.normal();
  const std::vector<float> back = decode_blocks(dtype, encode_blocks(dtype, values));
  double difference = 0, norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    difference += std::pow(double(back[i]) - double(values[i]), 2);
    norm += std::pow(double(values[i]), 2);
  }
  return std::sqrt(difference / norm);
}

/// Steps of size s leave an error of s / sqrt(12). The step is the largest of 32 normal values (about 2.1) over 127 or
/// 8 levels, their range (about 4.1) over 15, or the largest of 16 (about 1.8) over 31.
TEST(Blocks, RoundingErrorsAreThoseOfTheirStepSizes) {
  EXPECT_NEAR(error_on_normal_values(DType::q8_0), 2.1 / 127 / std::sqrt(12), 0.001);
  EXPECT_NEAR(error_on_normal_values(DType::q4_0), 2.1 / 8 / std::sqrt(12), 0.015);
  EXPECT_NEAR(error_on_normal_values(DType::q4_k), 4.1 / 15 / std::sqrt(12), 0.01);
  EXPECT_NEAR(error_on_normal_values(DType::q6_k), 1.8 / 31 / std::sqrt(12), 0.003);
}

TEST(Blocks, SizesAreThePublishedOnes) {
  const std::vector<float> values(512);
  EXPECT_EQ(encode_blocks(DType::q8_0, values).size(), 16u * 34);
  EXPECT_EQ(encode_blocks(DType::q4_0, values).size(), 16u * 18);
  EXPECT_EQ(encode_blocks(DType::q4_k, values).size(), 2u * 144);
  EXPECT_EQ(encode_blocks(DType::q6_k, values).size(), 2u * 210);
  EXPECT_EQ(bytes_of(DType::q6_k) * 512, 2 * 210);
}

TEST(Blocks, EveryElementHasAPlaceOfItsOwn) {
  for (const DType dtype : kBlockTypes) {
    const auto elements = size_t(block_of(dtype).elements);
    for (size_t i = 0; i < elements; ++i) {
      std::vector<float> values(elements);
      values[i] = -1;
      const std::vector<float> back = decode_blocks(dtype, encode_blocks(dtype, values));
      for (size_t j = 0; j < elements; ++j)
        EXPECT_NEAR(back[j], i == j ? -1 : 0, 0.02) << name_of(dtype) << ' ' << i << ' ' << j;
    }
  }
}

TEST(Blocks, ZerosStayZeros) {
  for (const DType dtype : kBlockTypes)
    for (const float value : decode_blocks(dtype, encode_blocks(dtype, std::vector<float>(256))))
      EXPECT_EQ(value, 0) << name_of(dtype);
}

/// The values that the reference sees and the bytes that the kernel gets are the same numbers.
TEST(Blocks, HostOperandsKeepTheBytesOfTheirValues) {
  for (const DType dtype : kBlockTypes) {
    const HostOperand operand = make_host_operand({.name = "w", .dtype = dtype, .shape = {4, 512}}, 3);
    EXPECT_EQ(decode_elements(dtype, operand_bytes_of(operand)), operand.values) << name_of(dtype);
    EXPECT_EQ(double(operand_bytes_of(operand).size()), operand.declared.bytes());
  }
}

TEST(Blocks, BytesOfChangedValuesAreEncodedAnew) {
  HostOperand operand = make_host_operand({.name = "w", .dtype = DType::q8_0, .shape = {64}}, 3);
  operand.values[5] = 100;
  EXPECT_NEAR(decode_elements(DType::q8_0, operand_bytes_of(operand))[5], 100, 0.1);
}

TEST(Blocks, AnotherTypeHoldsTheSameContentRounded) {
  const HostOperand wide = make_host_operand({.name = "x", .dtype = DType::bf16, .shape = {64}}, 3);
  EXPECT_EQ(as_type(wide, DType::f32).values, wide.values);
  const HostOperand narrow = as_type(wide, DType::q8_0);
  EXPECT_EQ(decode_elements(DType::q8_0, operand_bytes_of(narrow)), narrow.values);
  EXPECT_NE(narrow.values, wide.values);
  EXPECT_TRUE(as_type(narrow, DType::f32).blocks.empty());
}

TEST(Blocks, RandomElementsAreFiniteBlocks) {
  constexpr size_t kCount = 1 << 14;
  for (const DType dtype : kBlockTypes) {
    const auto bytes = random_elements(dtype, kCount, 1);
    EXPECT_EQ(double(bytes.size()), double(kCount) * bytes_of(dtype));
    for (const float value : decode_elements(dtype, bytes)) ASSERT_TRUE(std::isfinite(value));
  }
}

}  // namespace
}  // namespace perfatlas
