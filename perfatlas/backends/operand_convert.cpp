// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>

#include "perfatlas/backends/operand_blocks.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// A binary float with fewer bits than a float; IEEE 754 layout.
struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  bool finite_only;  // e4m3 of the OCP 8-bit float specification: no infinity, one NaN, largest value 448

  int lowest_exponent() const { return 2 - (1 << (exponent_bits - 1)); }
  int highest_exponent() const { return (1 << (exponent_bits - 1)) - (finite_only ? 0 : 1); }
  uint32_t sign_bit() const { return 1u << (exponent_bits + mantissa_bits); }
  uint32_t exponent_mask() const { return ((1u << exponent_bits) - 1) << mantissa_bits; }
  uint32_t largest_finite() const { return finite_only ? sign_bit() - 2 : exponent_mask() - 1; }
};

constexpr SmallFloat kHalf{5, 10, false};
constexpr SmallFloat kE4m3{4, 3, true};

uint32_t encode_small(float value, const SmallFloat& type) {
  const uint32_t sign = std::signbit(value) ? type.sign_bit() : 0;
  if (std::isnan(value)) return sign | (type.sign_bit() - 1);
  const double magnitude = std::fabs(double(value));
  const uint32_t overflow = type.finite_only ? type.largest_finite() : type.exponent_mask();
  if (std::isinf(value)) return sign | overflow;
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), type.lowest_exponent());
  // In units of the last place; a carry out of the mantissa moves into the exponent field by itself.
  const auto units = uint32_t(std::nearbyint(std::ldexp(magnitude, type.mantissa_bits - exponent)));
  const auto field = uint32_t(exponent - type.lowest_exponent());
  const uint32_t bits = (field << type.mantissa_bits) + units;
  return sign | (bits > type.largest_finite() ? overflow : bits);
}

float decode_small(uint32_t bits, const SmallFloat& type) {
  const float sign = (bits & type.sign_bit()) ? -1.f : 1.f;
  const uint32_t magnitude = bits & (type.sign_bit() - 1);
  if (magnitude > type.largest_finite())
    return !type.finite_only && magnitude == type.exponent_mask()
               ? sign * std::numeric_limits<float>::infinity()
               : std::numeric_limits<float>::quiet_NaN();
  const uint32_t field = magnitude >> type.mantissa_bits;
  const uint32_t fraction = magnitude & ((1u << type.mantissa_bits) - 1);
  const uint32_t units = field == 0 ? fraction : fraction + (1u << type.mantissa_bits);
  const int exponent = (field == 0 ? 0 : int(field) - 1) + type.lowest_exponent() - type.mantissa_bits;
  return sign * float(std::ldexp(double(units), exponent));
}

uint16_t encode_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return uint16_t((bits >> 16) | 0x40);
  return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float decode_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

template <class Stored, class Encode>
std::vector<std::byte> encode_as(std::span<const float> values, Encode encode) {
  std::vector<std::byte> bytes(values.size() * sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto stored = Stored(encode(values[i]));
    std::memcpy(&bytes[i * sizeof stored], &stored, sizeof stored);
  }
  return bytes;
}

template <class Stored, class Decode>
std::vector<float> decode_as(std::span<const std::byte> bytes, Decode decode) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, &bytes[i * sizeof stored], sizeof stored);
    values[i] = decode(stored);
  }
  return values;
}

/// In two's complement.
unsigned int4_code(float v) { return unsigned(int(std::nearbyint(std::clamp(v, -8.f, 7.f)))) & 15; }
float int4_value(unsigned code) { return float(int((code & 15) ^ 8) - 8); }

/// e2m1 of the OCP microscaling specification: a sign bit before the number of the magnitude.
constexpr float kFp4Magnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

unsigned fp4_code(float v) {
  unsigned nearest = 0;
  for (unsigned i = 1; i < std::size(kFp4Magnitudes); ++i) {
    const float nearer = std::fabs(std::fabs(v) - kFp4Magnitudes[nearest]);
    const float distance = std::fabs(std::fabs(v) - kFp4Magnitudes[i]);
    if (distance < nearer || (distance == nearer && i % 2 == 0)) nearest = i;
  }
  return nearest | (std::signbit(v) ? 8U : 0U);
}
float fp4_value(unsigned code) { return code & 8 ? -kFp4Magnitudes[code & 7] : kFp4Magnitudes[code & 7]; }

/// Two elements per byte, the first one in the low bits.
template <class Code>
std::vector<std::byte> encode_pairs(std::span<const float> values, Code code) {
  PERFATLAS_ASSERT(values.size() % 2 == 0);
  std::vector<std::byte> bytes(values.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = std::byte(code(values[2 * i]) | code(values[2 * i + 1]) << 4);
  return bytes;
}

template <class Value>
std::vector<float> decode_pairs(std::span<const std::byte> bytes, Value value) {
  std::vector<float> values(bytes.size() * 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    values[2 * i] = value(unsigned(bytes[i]) & 15);
    values[2 * i + 1] = value(unsigned(bytes[i]) >> 4);
  }
  return values;
}

int8_t encode_int8(float value) { return int8_t(std::nearbyint(std::fmin(std::fmax(value, -128.f), 127.f))); }

}  // namespace

std::vector<std::byte> encode_elements(DType dtype, std::span<const float> values) {
  PERFATLAS_ASSERT(dtype != DType::int32);
  if (is_block_type(dtype)) return encode_blocks(dtype, values);
  switch (dtype) {
    case DType::f16:
      return encode_as<uint16_t>(values, [](float v) { return encode_small(v, kHalf); });
    case DType::bf16:
      return encode_as<uint16_t>(values, encode_bf16);
    case DType::fp8_e4m3:
      return encode_as<uint8_t>(values, [](float v) { return encode_small(v, kE4m3); });
    case DType::int8:
      return encode_as<int8_t>(values, encode_int8);
    case DType::int4:
      return encode_pairs(values, int4_code);
    case DType::fp4:
      return encode_pairs(values, fp4_code);
    default:
      return encode_as<float>(values, [](float v) { return v; });
  }
}

std::vector<float> decode_elements(DType dtype, std::span<const std::byte> bytes) {
  PERFATLAS_ASSERT(dtype != DType::int32);
  if (is_block_type(dtype)) return decode_blocks(dtype, bytes);
  switch (dtype) {
    case DType::f16:
      return decode_as<uint16_t>(bytes, [](uint16_t v) { return decode_small(v, kHalf); });
    case DType::bf16:
      return decode_as<uint16_t>(bytes, decode_bf16);
    case DType::fp8_e4m3:
      return decode_as<uint8_t>(bytes, [](uint8_t v) { return decode_small(v, kE4m3); });
    case DType::int8:
      return decode_as<int8_t>(bytes, [](int8_t v) { return float(v); });
    case DType::int4:
      return decode_pairs(bytes, int4_value);
    case DType::fp4:
      return decode_pairs(bytes, fp4_value);
    default:
      return decode_as<float>(bytes, [](float v) { return v; });
  }
}

}  // namespace perfatlas
