// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_fill.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/backends/operand_convert.h"

namespace perfatlas {
namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<float>& values) {
  Moments m;
  for (const float v : values) m.mean += v / double(values.size());
  for (const float v : values) m.deviation += (v - m.mean) * (v - m.mean) / double(values.size());
  m.deviation = std::sqrt(m.deviation);
  return m;
}

std::vector<float> values_of(DType dtype, Fill fill) {
  return make_host_operand({.name = "x", .dtype = dtype, .shape = {200, 256}, .fill = fill}, 7).values;
}

TEST(Fill, HasTheDeclaredDistribution) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    EXPECT_NEAR(moments(values_of(dtype, Fill::normal)).mean, 0, 0.03);
    EXPECT_NEAR(moments(values_of(dtype, Fill::normal)).deviation, 1, 0.03);
    EXPECT_NEAR(moments(values_of(dtype, Fill::small)).deviation, 1.0 / 16, 0.002);
    EXPECT_NEAR(moments(values_of(dtype, Fill::positive)).mean, 1, 0.01);
  }
  EXPECT_NEAR(moments(values_of(DType::int8, Fill::normal)).deviation, 32, 1);
  for (const float v : values_of(DType::f32, Fill::positive)) ASSERT_TRUE(v >= 0.5 && v <= 1.5);
}

TEST(Fill, SameSeedSameContentOtherNameOtherContent) {
  const auto content = [](const char* name, uint64_t seed) {
    return make_host_operand({.name = name, .dtype = DType::f32, .shape = {64}}, seed).values;
  };
  EXPECT_EQ(content("a", 1), content("a", 1));
  EXPECT_NE(content("a", 1), content("a", 2));
  EXPECT_NE(content("a", 1), content("b", 1));
}

TEST(Fill, APageTableNamesEveryPageOnce) {
  auto pages =
      make_host_operand({.name = "t", .dtype = DType::int32, .shape = {4, 25}, .fill = Fill::page_table}, 3)
          .indices;
  EXPECT_FALSE(std::is_sorted(pages.begin(), pages.end()));
  std::sort(pages.begin(), pages.end());
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(pages[i], int32_t(i));
}

TEST(Fill, ValuesAreRoundedToTheirType) {
  for (const float v : values_of(DType::bf16, Fill::normal))
    ASSERT_EQ(decode_elements(DType::bf16, encode_elements(DType::bf16, std::vector{v}))[0], v);
}

TEST(RandomElements, AreFiniteAndNeverSubnormal) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    for (const float v : decode_elements(dtype, random_elements(dtype, 100000, 1)))
      ASSERT_TRUE(std::isnormal(v));
  }
  EXPECT_EQ(random_elements(DType::fp4, 1000, 1).size(), 500u);
  EXPECT_EQ(random_elements(DType::int8, 1000, 1).size(), 1000u);
}

}  // namespace
}  // namespace perfatlas
