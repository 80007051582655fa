// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm_cpu_dequant_codes.h"

#include <cstring>

#include "perfatlas/backends/cpu/avx512_lanes.h"

namespace perfatlas {
namespace {

/// Position of element (row, i) of W in the packed order.
int64_t packed_at(const PanelShape& shape, int64_t row, int64_t i) {
  const int64_t slab = row / kPanelRows * shape.slabs() + i / kSlabDepth;
  return slab * kSlabElements + i % kSlabDepth / 2 * 2 * kPanelRows + row % kPanelRows * 2 + i % 2;
}

struct TwoVectors {
  __m512 first, second;
};

/// 32 codes from element `at` on.
template <class Code>
PERFATLAS_AVX512 inline TwoVectors load_codes(const std::byte* codes, int64_t at) {
  const auto* typed = reinterpret_cast<const Code*>(codes) + at;
  return {load_lanes(typed, 0xFFFF), load_lanes(typed + kLanes, 0xFFFF)};
}

struct Int4 {};
template <>
PERFATLAS_AVX512 inline TwoVectors load_codes<Int4>(const std::byte* codes, int64_t at) {
  const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + at / 2));
  const __m128i nibble = _mm_set1_epi8(15), sign = _mm_set1_epi8(8);
  const __m128i low = _mm_and_si128(pairs, nibble), high = _mm_and_si128(_mm_srli_epi16(pairs, 4), nibble);
  const auto widen = [&](__m128i unsigned_codes) PERFATLAS_AVX512 {
    const __m128i values = _mm_sub_epi8(_mm_xor_si128(unsigned_codes, sign), sign);
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(values));
  };
  return {widen(_mm_unpacklo_epi8(low, high)), widen(_mm_unpackhi_epi8(low, high))};
}

template <class Code>
PERFATLAS_AVX512 void dequant_slabs(const std::byte* codes, const float* scales, int64_t slabs, Bf16* out) {
  // Each scale twice in a row, because the two elements of a pair belong to one weight row.
  const __m512i spread = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
  __m512 factors[2 * kPanelRows / kLanes];
  for (int i = 0; i < int(std::size(factors)); ++i)
    factors[i] = _mm512_permutexvar_ps(spread, load_lanes(scales + i * 8, 0x00FF));
  for (int64_t line = 0; line < slabs * kSlabDepth / 2; ++line)
    for (int i = 0; i < int(std::size(factors)); i += 2) {
      const int64_t at = line * 2 * kPanelRows + i * kLanes;
      const TwoVectors values = load_codes<Code>(codes, at);
      const __m512bh pairs = _mm512_cvtne2ps_pbh(_mm512_mul_ps(values.second, factors[i + 1]),
                                                 _mm512_mul_ps(values.first, factors[i]));
      _mm512_store_si512(out + at, (__m512i)pairs);
    }
}

}  // namespace

void pack_codes(const PanelShape& shape, DType type, const void* w, void* packed) {
  const auto* from = static_cast<const uint8_t*>(w);
  auto* to = static_cast<uint8_t*>(packed);
  std::memset(to, 0, size_t(double(shape.elements()) * bytes_of(type)));
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t i = 0; i < shape.depth; ++i) {
      const int64_t source = row * shape.depth + i, target = packed_at(shape, row, i);
      if (type != DType::int4) {
        to[target] = from[source];
        continue;
      }
      const int code = from[source / 2] >> (source % 2 * 4) & 15;
      to[target / 2] = uint8_t(to[target / 2] | code << (target % 2 * 4));
    }
}

DequantSlabs dequant_function(DType type) {
  if (type == DType::int4) return &dequant_slabs<Int4>;
  return type == DType::int8 ? &dequant_slabs<int8_t> : &dequant_slabs<Fp8>;
}

}  // namespace perfatlas
