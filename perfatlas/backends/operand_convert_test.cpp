// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_convert.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace perfatlas {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

uint32_t bits_of_value(DType dtype, float value) {
  const auto bytes = encode_elements(dtype, std::vector{value});
  uint32_t bits = 0;
  std::memcpy(&bits, bytes.data(), bytes.size());
  return bits;
}

float value_of_bits(DType dtype, uint32_t bits) {
  std::vector<std::byte> bytes(size_t(bytes_of(dtype)));
  std::memcpy(bytes.data(), &bits, bytes.size());
  return decode_elements(dtype, bytes)[0];
}

struct Known {
  DType dtype;
  float value;
  uint32_t bits;
};

/// By hand from the definitions: IEEE 754 binary16, bfloat16, and e4m3 of the OCP 8-bit float specification.
constexpr Known kKnown[] = {
    {DType::f16, 1.f, 0x3c00},        {DType::f16, -2.f, 0xc000},        {DType::f16, 65504.f, 0x7bff},
    {DType::f16, 0x1p-24f, 0x0001},   {DType::f16, 0x1p-14f, 0x0400},    {DType::bf16, 1.f, 0x3f80},
    {DType::bf16, -0.f, 0x8000},      {DType::fp8_e4m3, 1.f, 0x38},      {DType::fp8_e4m3, 448.f, 0x7e},
    {DType::fp8_e4m3, 0x1p-9f, 0x01}, {DType::fp8_e4m3, -0x1p-6f, 0x88}, {DType::int8, -128.f, 0x80},
    {DType::f32, 1.f, 0x3f800000},
};

TEST(Convert, KnownBitsComeOut) {
  for (const Known& known : kKnown) {
    EXPECT_EQ(bits_of_value(known.dtype, known.value), known.bits) << name_of(known.dtype) << known.value;
    EXPECT_EQ(value_of_bits(known.dtype, known.bits), known.value) << name_of(known.dtype) << known.value;
  }
}

TEST(Convert, TiesGoToTheEvenNeighbour) {
  EXPECT_EQ(bits_of_value(DType::bf16, std::bit_cast<float>(0x3f808000u)), 0x3f80u);
  EXPECT_EQ(bits_of_value(DType::bf16, std::bit_cast<float>(0x3f818000u)), 0x3f82u);
  EXPECT_EQ(bits_of_value(DType::fp8_e4m3, 1.0625f), 0x38u);
  EXPECT_EQ(bits_of_value(DType::fp8_e4m3, 1.1875f), 0x3au);
  EXPECT_EQ(bits_of_value(DType::int8, 2.5f), 2u);
}

TEST(Convert, OverflowSaturatesOrBecomesInfinity) {
  EXPECT_EQ(bits_of_value(DType::fp8_e4m3, 1e9f), 0x7eu);
  EXPECT_EQ(bits_of_value(DType::int8, 1e9f), 127u);
  EXPECT_EQ(value_of_bits(DType::f16, bits_of_value(DType::f16, 1e9f)), kInfinity);
  EXPECT_EQ(value_of_bits(DType::bf16, bits_of_value(DType::bf16, -kInfinity)), -kInfinity);
  for (const DType dtype : {DType::f16, DType::bf16, DType::fp8_e4m3})
    EXPECT_TRUE(std::isnan(value_of_bits(dtype, bits_of_value(dtype, std::nanf("")))));
}

TEST(Convert, FourBitIntegersAreStoredInPairsLowBitsFirst) {
  const std::vector<float> values = {1, -1, 7.4f, -8, 100, -100, 0.5f, 1.5f};
  const std::vector<std::byte> bytes = encode_elements(DType::int4, values);
  EXPECT_EQ(bytes, (std::vector{std::byte{0xf1}, std::byte{0x87}, std::byte{0x87}, std::byte{0x20}}));
  EXPECT_EQ(decode_elements(DType::int4, bytes), (std::vector<float>{1, -1, 7, -8, 7, -8, 0, 2}));
}

TEST(Convert, FourBitFloatsAreStoredInPairsAndRoundToTheEvenNeighbour) {
  const std::vector<float> values{0.5f, -6, 0.25f, 0.75f, 2.5f, -5, 100, -0.f};
  const std::vector<std::byte> bytes = encode_elements(DType::fp4, values);
  EXPECT_EQ(bytes[0], std::byte(0xf1));
  EXPECT_EQ(decode_elements(DType::fp4, bytes), (std::vector<float>{0.5f, -6, 0, 1, 2, -4, 6, 0}));
}

TEST(Convert, EveryStoredValueSurvives) {
  for (const DType dtype : {DType::f16, DType::bf16, DType::fp8_e4m3, DType::int8}) {
    for (uint32_t bits = 0; bits < 1u << bits_of(dtype); ++bits) {
      const float value = value_of_bits(dtype, bits);
      if (std::isnan(value)) continue;
      ASSERT_EQ(bits_of_value(dtype, value), bits) << name_of(dtype);
    }
  }
}

TEST(Convert, RoundingTakesANearestValue) {
  ASSERT_TRUE(rc::check([] {
    const DType dtype = *rc::gen::element(DType::f16, DType::bf16, DType::fp8_e4m3);
    const float value = std::ldexp(float(*rc::gen::inRange(-100000, 100000)), *rc::gen::inRange(-24, -9));
    const uint32_t bits = bits_of_value(dtype, value);
    const double error = std::fabs(double(value_of_bits(dtype, bits)) - value);
    for (const uint32_t neighbour : {bits - 1, bits + 1}) {
      const float other = value_of_bits(dtype, neighbour & ((1u << bits_of(dtype)) - 1));
      if (std::isfinite(other)) RC_ASSERT(error <= std::fabs(double(other) - value));
    }
  }));
}

}  // namespace
}  // namespace perfatlas
