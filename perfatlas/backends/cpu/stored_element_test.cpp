// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/stored_element.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/cpu_isa.h"
#include "perfatlas/backends/operand_convert.h"

namespace perfatlas {
namespace {

/// Every finite bf16 value and its neighbourhood in float: all that is between two fp8 values, ties included.
std::vector<float> interesting_values() {
  std::vector<float> values;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = to_float(Bf16{uint16_t(bits)});
    if (!std::isfinite(value)) continue;
    values.insert(values.end(), {value, std::nextafter(value, 0.F), std::nextafter(value, 2 * value)});
  }
  values.resize(values.size() / kLanes * kLanes);
  return values;
}

template <class T>
void agrees_with_the_harness(DType dtype) {
  const std::vector<float> values = interesting_values();
  const std::vector<std::byte> expected = encode_elements(dtype, values);
  std::vector<T> stored(values.size());
  for (size_t i = 0; i < values.size(); ++i) stored[i] = from_float<T>(values[i]);
  EXPECT_EQ(std::memcmp(stored.data(), expected.data(), expected.size()), 0);
  const std::vector<float> decoded = decode_elements(dtype, expected);
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(to_float(stored[i]), decoded[i]) << values[i];
}

TEST(StoredElement, ConversionsAreThoseOfTheHarness) {
  agrees_with_the_harness<Bf16>(DType::bf16);
  agrees_with_the_harness<Fp8>(DType::fp8_e4m3);
}

template <class T>
PERFATLAS_AVX512 void round_trip(const std::vector<float>& values, std::vector<T>& stored,
                                 std::vector<float>& loaded) {
  for (size_t i = 0; i < values.size(); i += kLanes) {
    store_lanes(&stored[i], 0xFFFF, _mm512_loadu_ps(&values[i]));
    _mm512_storeu_ps(&loaded[i], load_lanes(&stored[i], 0xFFFF));
  }
}

template <class T>
void lanes_agree(float (*as_float)(T)) {
  std::vector<float> values;
  for (const float value : interesting_values())  // the bf16 instruction flushes subnormals
    if (value == 0 || std::isnormal(value)) values.push_back(value);
  values.resize(values.size() / kLanes * kLanes);
  std::vector<T> stored(values.size());
  std::vector<float> loaded(values.size());
  round_trip(values, stored, loaded);
  for (size_t i = 0; i < values.size(); ++i) {
    const T expected = from_float<T>(values[i]);
    ASSERT_EQ(std::memcmp(&stored[i], &expected, sizeof(T)), 0) << values[i];
    ASSERT_EQ(loaded[i], as_float(expected)) << values[i];
  }
}

TEST(StoredElement, VectorsConvertAsSingleElementsDo) {
  const CpuIsa isa = detect_cpu_isa();
  if (!isa.avx512 || !isa.avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 with bf16";
  lanes_agree<Bf16>([](Bf16 v) { return to_float(v); });
  lanes_agree<Fp8>([](Fp8 v) { return to_float(v); });
  lanes_agree<int8_t>([](int8_t v) { return float(v); });
}

TEST(StoredElement, TheLastVectorHasTheLanesThatRemain) {
  EXPECT_EQ(lanes_from(1), 1);
  EXPECT_EQ(lanes_from(15), 0x7FFF);
  EXPECT_EQ(lanes_from(16), 0xFFFF);
  EXPECT_EQ(lanes_from(1000), 0xFFFF);
}

}  // namespace
}  // namespace perfatlas
