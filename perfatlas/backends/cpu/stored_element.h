// SPDX-License-Identifier: Apache-2.0
// Element types as plain CPU loops see them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace perfatlas {

/// bfloat16 as stored.
struct Bf16 {
  uint16_t bits;
};

/// e4m3 of the OCP 8-bit float specification as stored: bias 7, no infinity, largest value 448.
struct Fp8 {
  uint8_t bits;
};

inline constexpr float kFp8Largest = 448;

inline float to_float(float value) { return value; }
inline float to_float(Bf16 value) { return std::bit_cast<float>(uint32_t(value.bits) << 16); }
/// The exponent's bias becomes that of a float; what is subnormal gets the smallest normal exponent and loses the
/// leading one again. No float on the way is subnormal: these take a CPU a hundred times longer.
/// REQUIRES: not a NaN.
inline float to_float(Fp8 value) {
  const uint32_t bits = uint32_t(value.bits & 0x7F) << 20;
  constexpr uint32_t kBias = (127 - 7) << 23, kOne = 1 << 23;
  const float magnitude =
      bits < kOne ? std::bit_cast<float>(bits + kBias + kOne) - 0x1p-6F : std::bit_cast<float>(bits + kBias);
  return value.bits & 0x80 ? -magnitude : magnitude;
}

inline Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return {uint16_t((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}

/// Saturates.
inline Fp8 to_fp8(float value) {
  const float magnitude = std::fmin(std::fabs(value), kFp8Largest);
  const auto bits = std::bit_cast<uint32_t>(magnitude);
  // Where the unit in the last place is that of the smallest normal number, adding 2^14 rounds a float to it.
  constexpr float kSubnormalRounder = 0x1p14F;
  const uint32_t normal = ((bits + 0x7FFFF + ((bits >> 20) & 1)) >> 20) - ((127 - 7) << 3);
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(magnitude + kSubnormalRounder) - std::bit_cast<uint32_t>(kSubnormalRounder);
  const uint32_t sign = (std::bit_cast<uint32_t>(value) >> 24) & 0x80;
  return {uint8_t(sign | (magnitude < 0x1p-6F ? subnormal : normal))};
}

/// Saturates.
inline int8_t to_int8(float value) {
  return int8_t(std::nearbyint(std::fmin(std::fmax(value, -128.F), 127.F)));
}

/// Rounds to nearest even. REQUIRES: not a NaN.
template <class T>
T from_float(float value) {
  if constexpr (std::is_same_v<T, Bf16>)
    return to_bf16(value);
  else if constexpr (std::is_same_v<T, Fp8>)
    return to_fp8(value);
  else if constexpr (std::is_same_v<T, int8_t>)
    return to_int8(value);
  else
    return value;
}

}  // namespace perfatlas
