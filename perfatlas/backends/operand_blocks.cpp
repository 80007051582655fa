// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using Values = std::span<const float>;

uint8_t* bytes_at(std::byte* block, size_t offset) { return reinterpret_cast<uint8_t*>(block) + offset; }
const uint8_t* bytes_at(const std::byte* block, size_t offset) {
  return reinterpret_cast<const uint8_t*>(block) + offset;
}

/// Stores a scale and returns it as stored.
float put_scale(std::byte* at, float scale) {
  const std::vector<std::byte> half = encode_elements(DType::f16, {&scale, 1});
  std::memcpy(at, half.data(), half.size());
  return decode_elements(DType::f16, half)[0];
}

float get_scale(const std::byte* at) { return decode_elements(DType::f16, {at, 2})[0]; }

/// value / step, rounded into [low, high]; 0 for a step of 0, where every value is 0.
int quantised(float value, float step, int low, int high) {
  return step == 0 ? 0 : int(std::lround(std::clamp(value / step, float(low), float(high))));
}

/// The element of largest magnitude, with its sign.
float peak(Values values) {
  return *std::max_element(values.begin(), values.end(),
                           [](float a, float b) { return std::fabs(a) < std::fabs(b); });
}

// --- q8_0, q4_0 --------------------------------------------------------------------------------------------

void encode_q8_0(Values values, std::byte* block) {
  const float d = put_scale(block, std::fabs(peak(values)) / 127);
  for (size_t i = 0; i < 32; ++i) *bytes_at(block, 2 + i) = uint8_t(quantised(values[i], d, -127, 127));
}

void decode_q8_0(const std::byte* block, float* values) {
  const float d = get_scale(block);
  for (size_t i = 0; i < 32; ++i) values[i] = d * float(int8_t(*bytes_at(block, 2 + i)));
}

void encode_q4_0(Values values, std::byte* block) {
  const float d = put_scale(block, peak(values) / -8);
  const auto q = [&](size_t i) { return quantised(values[i], d, -8, 7) + 8; };
  for (size_t i = 0; i < 16; ++i) *bytes_at(block, 2 + i) = uint8_t(q(i) | q(i + 16) << 4);
}

void decode_q4_0(const std::byte* block, float* values) {
  const float d = get_scale(block);
  for (size_t i = 0; i < 16; ++i) {
    const int pair = *bytes_at(block, 2 + i);
    values[i] = d * float((pair & 15) - 8);
    values[i + 16] = d * float((pair >> 4) - 8);
  }
}

// --- q4_K --------------------------------------------------------------------------------------------------

constexpr size_t kGroups = 8, kGroup = 32, kFactorsAt = 4, kPairsAt = 16;

/// The 6-bit scale and minimum of a group. Those of groups 0 to 3 fill the lower six bits of bytes 0 to 7; of groups 4
/// to 7 the lower four bits share bytes 8 to 11 and the upper two lie above those of groups 0 to 3.
struct GroupFactors {
  int scale, minimum;
};

GroupFactors get_factors(const uint8_t* packed, size_t group) {
  if (group < 4) return {packed[group] & 63, packed[group + 4] & 63};
  return {(packed[group + 4] & 15) | (packed[group - 4] >> 6) << 4,
          (packed[group + 4] >> 4) | (packed[group] >> 6) << 4};
}

/// REQUIRES: zeros where nothing was put yet.
void put_factors(uint8_t* packed, size_t group, GroupFactors f) {
  const auto add = [&](size_t byte, int bits) { packed[byte] = uint8_t(packed[byte] | bits); };
  if (group < 4) {
    add(group, f.scale);
    add(group + 4, f.minimum);
  } else {
    add(group + 4, (f.scale & 15) | (f.minimum & 15) << 4);
    add(group - 4, f.scale >> 4 << 6);
    add(group, f.minimum >> 4 << 6);
  }
}

void encode_q4_k(Values values, std::byte* block) {
  float scales[kGroups], minima[kGroups];
  for (size_t g = 0; g < kGroups; ++g) {
    const Values group = values.subspan(g * kGroup, kGroup);
    const auto [low, high] = std::minmax_element(group.begin(), group.end());
    minima[g] = std::max(0.F, -*low);
    scales[g] = (std::max(0.F, *high) + minima[g]) / 15;
  }
  const float d = put_scale(block, *std::max_element(scales, scales + kGroups) / 63);
  const float e = put_scale(block + 2, *std::max_element(minima, minima + kGroups) / 63);
  std::fill(block + kFactorsAt, block + block_of(DType::q4_k).bytes, std::byte(0));
  for (size_t g = 0; g < kGroups; ++g) {
    const GroupFactors f{quantised(scales[g], d, 0, 63), quantised(minima[g], e, 0, 63)};
    put_factors(bytes_at(block, kFactorsAt), g, f);
    uint8_t* const pairs = bytes_at(block, kPairsAt + g / 2 * kGroup);
    for (size_t i = 0; i < kGroup; ++i) {
      const float shifted = values[g * kGroup + i] + e * float(f.minimum);
      pairs[i] = uint8_t(pairs[i] | quantised(shifted, d * float(f.scale), 0, 15) << (g % 2 * 4));
    }
  }
}

void decode_q4_k(const std::byte* block, float* values) {
  const float d = get_scale(block), e = get_scale(block + 2);
  for (size_t g = 0; g < kGroups; ++g) {
    const GroupFactors f = get_factors(bytes_at(block, kFactorsAt), g);
    const uint8_t* const pairs = bytes_at(block, kPairsAt + g / 2 * kGroup);
    for (size_t i = 0; i < kGroup; ++i) {
      const int q = pairs[i] >> (g % 2 * 4) & 15;
      values[g * kGroup + i] = d * float(f.scale) * float(q) - e * float(f.minimum);
    }
  }
}

// --- q6_K --------------------------------------------------------------------------------------------------

constexpr size_t kHighAt = 128, kScalesAt = 192, kScaleAt = 208, kSixGroups = 16, kSixGroup = 16;

/// Where the bits of an element lie: each half of the block has 64 bytes of low nibbles and 32 bytes of high pairs.
struct SixBits {
  size_t low_byte, high_byte;
  int low_shift, high_shift;
};

SixBits six_bits_of(size_t i) {
  const size_t half = i / 128, quarter = i % 128 / 32, lane = i % 32;
  return {half * 64 + quarter % 2 * 32 + lane, kHighAt + half * 32 + lane, int(quarter / 2 * 4),
          int(quarter * 2)};
}

void encode_q6_k(Values values, std::byte* block) {
  float scales[kSixGroups];
  for (size_t g = 0; g < kSixGroups; ++g)
    scales[g] = std::fabs(peak(values.subspan(g * kSixGroup, kSixGroup))) / 31;
  const float d = put_scale(block + kScaleAt, *std::max_element(scales, scales + kSixGroups) / 127);
  std::fill_n(block, kScalesAt, std::byte(0));
  for (size_t i = 0; i < values.size(); ++i) {
    const int scale = quantised(scales[i / kSixGroup], d, 0, 127);
    *bytes_at(block, kScalesAt + i / kSixGroup) = uint8_t(scale);
    const int q = quantised(values[i], d * float(scale), -32, 31) + 32;
    const SixBits at = six_bits_of(i);
    uint8_t &low = *bytes_at(block, at.low_byte), &high = *bytes_at(block, at.high_byte);
    low = uint8_t(low | (q & 15) << at.low_shift);
    high = uint8_t(high | q >> 4 << at.high_shift);
  }
}

void decode_q6_k(const std::byte* block, float* values) {
  const float d = get_scale(block + kScaleAt);
  for (size_t i = 0; i < kSixGroups * kSixGroup; ++i) {
    const SixBits at = six_bits_of(i);
    const int low = *bytes_at(block, at.low_byte) >> at.low_shift & 15;
    const int high = *bytes_at(block, at.high_byte) >> at.high_shift & 3;
    values[i] =
        d * float(int8_t(*bytes_at(block, kScalesAt + i / kSixGroup))) * float((low | high << 4) - 32);
  }
}

struct Codec {
  void (*encode)(Values, std::byte*);
  void (*decode)(const std::byte*, float*);
};

Codec codec_of(DType dtype) {
  switch (dtype) {
    case DType::q8_0:
      return {encode_q8_0, decode_q8_0};
    case DType::q4_0:
      return {encode_q4_0, decode_q4_0};
    case DType::q4_k:
      return {encode_q4_k, decode_q4_k};
    default:
      PERFATLAS_ASSERT(dtype == DType::q6_k);
      return {encode_q6_k, decode_q6_k};
  }
}

}  // namespace

std::vector<std::byte> encode_blocks(DType dtype, std::span<const float> values) {
  const auto elements = size_t(block_of(dtype).elements), bytes = size_t(block_of(dtype).bytes);
  PERFATLAS_ASSERT(is_block_type(dtype) && values.size() % elements == 0);
  const Codec codec = codec_of(dtype);
  std::vector<std::byte> blocks(values.size() / elements * bytes);
  for (size_t i = 0; i * elements < values.size(); ++i)
    codec.encode(values.subspan(i * elements, elements), &blocks[i * bytes]);
  return blocks;
}

std::vector<float> decode_blocks(DType dtype, std::span<const std::byte> bytes) {
  const auto elements = size_t(block_of(dtype).elements), block_bytes = size_t(block_of(dtype).bytes);
  PERFATLAS_ASSERT(is_block_type(dtype) && bytes.size() % block_bytes == 0);
  const Codec codec = codec_of(dtype);
  std::vector<float> values(bytes.size() / block_bytes * elements);
  for (size_t i = 0; i * block_bytes < bytes.size(); ++i)
    codec.decode(&bytes[i * block_bytes], &values[i * elements]);
  return values;
}

}  // namespace perfatlas
