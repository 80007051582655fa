// SPDX-License-Identifier: Apache-2.0
// Sixteen elements as floats: masked loads and stores of every type that CPU loops compute with. Only for functions
// compiled with PERFATLAS_AVX512.
#pragma once

#include <cstdint>

#include "perfatlas/backends/cpu/avx512.h"
#include "perfatlas/backends/cpu/stored_element.h"

namespace perfatlas {

inline constexpr int64_t kLanes = 16;

/// The lanes of the next vector when `left` elements remain. REQUIRES: left > 0.
inline __mmask16 lanes_from(int64_t left) { return __mmask16(left >= kLanes ? 0xFFFF : (1 << left) - 1); }

PERFATLAS_AVX512 inline __m512 load_lanes(const float* from, __mmask16 lanes) {
  return _mm512_maskz_loadu_ps(lanes, from);
}
PERFATLAS_AVX512 inline __m512 load_lanes(const Bf16* from, __mmask16 lanes) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
PERFATLAS_AVX512 inline __m512 load_lanes(const int8_t* from, __mmask16 lanes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, from)));
}
/// As to_float(), lane by lane.
PERFATLAS_AVX512 inline __m512 load_lanes(const Fp8* from, __mmask16 lanes) {
  const __m512i codes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, from));
  const __m512i bits = _mm512_slli_epi32(_mm512_and_si512(codes, _mm512_set1_epi32(0x7F)), 20);
  const __m512i one = _mm512_set1_epi32(1 << 23);
  const __mmask16 is_subnormal = _mm512_cmplt_epu32_mask(bits, one);
  const __m512i biased = _mm512_add_epi32(bits, _mm512_set1_epi32((127 - 7) << 23));
  __m512 value = _mm512_castsi512_ps(_mm512_mask_add_epi32(biased, is_subnormal, biased, one));
  value = _mm512_mask_sub_ps(value, is_subnormal, value, _mm512_set1_ps(0x1p-6F));
  const __m512i sign = _mm512_slli_epi32(_mm512_and_si512(codes, _mm512_set1_epi32(0x80)), 24);
  return _mm512_or_ps(value, _mm512_castsi512_ps(sign));
}

PERFATLAS_AVX512 inline void store_lanes(float* to, __mmask16 lanes, __m512 values) {
  _mm512_mask_storeu_ps(to, lanes, values);
}
PERFATLAS_AVX512 inline void store_lanes(Bf16* to, __mmask16 lanes, __m512 values) {
  _mm256_mask_storeu_epi16(to, lanes, (__m256i)_mm512_cvtneps_pbh(values));
}
/// As to_fp8(), lane by lane.
PERFATLAS_AVX512 inline void store_lanes(Fp8* to, __mmask16 lanes, __m512 values) {
  const __m512 magnitude = _mm512_min_ps(_mm512_abs_ps(values), _mm512_set1_ps(kFp8Largest));
  const __m512i bits = _mm512_castps_si512(magnitude);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 20), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFFF)));
  const __m512i normal = _mm512_sub_epi32(_mm512_srli_epi32(rounded, 20), _mm512_set1_epi32((127 - 7) << 3));
  const __m512 rounder = _mm512_set1_ps(0x1p14F);
  const __m512i subnormal =
      _mm512_sub_epi32(_mm512_castps_si512(_mm512_add_ps(magnitude, rounder)), _mm512_castps_si512(rounder));
  const __mmask16 is_subnormal = _mm512_cmp_ps_mask(magnitude, _mm512_set1_ps(0x1p-6F), _CMP_LT_OQ);
  const __m512i sign =
      _mm512_and_si512(_mm512_srli_epi32(_mm512_castps_si512(values), 24), _mm512_set1_epi32(0x80));
  const __m512i codes = _mm512_or_si512(sign, _mm512_mask_blend_epi32(is_subnormal, normal, subnormal));
  _mm512_mask_cvtepi32_storeu_epi8(to, lanes, codes);
}
/// As to_int8(), lane by lane.
PERFATLAS_AVX512 inline void store_lanes(int8_t* to, __mmask16 lanes, __m512 values) {
  const __m512 limited =
      _mm512_min_ps(values, _mm512_set1_ps(127));  // too large a float would become negative
  _mm512_mask_cvtsepi32_storeu_epi8(to, lanes, _mm512_cvtps_epi32(limited));
}

}  // namespace perfatlas
