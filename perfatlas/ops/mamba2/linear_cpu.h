// SPDX-License-Identifier: Apache-2.0
// Vectors of sixteen floats for the linear attention kernels, and bf16 as stored (uint16_t).
#pragma once

#include <bit>
#include <cstdint>

#include "perfatlas/backends/cpu/avx512.h"

namespace perfatlas {

inline float bf16_to_float(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

/// Rounds to nearest even. REQUIRES: not a NaN.
inline uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return uint16_t((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline __mmask16 lanes_of(int64_t left) { return __mmask16(left >= 16 ? 0xFFFF : (1 << left) - 1); }

PERFATLAS_AVX512 inline __m512 load_floats(const float* from, __mmask16 lanes) {
  return _mm512_maskz_loadu_ps(lanes, from);
}
PERFATLAS_AVX512 inline void store_floats(float* to, __mmask16 lanes, __m512 values) {
  _mm512_mask_storeu_ps(to, lanes, values);
}
PERFATLAS_AVX512 inline __m512 load_bf16(const uint16_t* from, __mmask16 lanes) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
PERFATLAS_AVX512 inline void store_bf16(uint16_t* to, __mmask16 lanes, __m512 values) {
  _mm256_mask_storeu_epi16(to, lanes, (__m256i)_mm512_cvtneps_pbh(values));
}

}  // namespace perfatlas
