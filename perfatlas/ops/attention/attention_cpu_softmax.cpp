// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu_exp.h"

namespace perfatlas {
namespace {

/// The first `count` of 16 lanes.
__mmask16 lanes_before(int64_t count) {
  return __mmask16(count >= 16 ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1);
}

/// Lanes of the 16 columns from `column` on that are visible.
__mmask16 visible(const ScoreBlock& block, int64_t column) {
  return __mmask16(lanes_before(block.last - column) & ~lanes_before(block.first - column));
}

PERFATLAS_AVX512 inline void store(float* to, __m512 values) { _mm512_storeu_ps(to, values); }
PERFATLAS_AVX512 inline void store(Bf16* to, __m512 values) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(values));
}

template <class T>
PERFATLAS_AVX512 float softmax_of(const float* scores, const ScoreBlock& block, T* weights, SoftmaxRow& row) {
  const int64_t begin = block.first / 16 * 16, end = std::min((block.last + 15) / 16 * 16, block.columns);
  for (int64_t i = 0; i < begin; i += 16) store(weights + i, _mm512_setzero_ps());
  for (int64_t i = std::max(begin, end); i < block.columns; i += 16) store(weights + i, _mm512_setzero_ps());
  if (block.first >= block.last) return 1;
  const __m512 nothing = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  __m512 most = nothing;
  for (int64_t i = begin; i < end; i += 16)
    most = _mm512_mask_max_ps(most, visible(block, i), most, _mm512_loadu_ps(scores + i));
  const float largest = std::max(row.largest, _mm512_reduce_max_ps(most) * block.scale);
  const __m512 scale = _mm512_set1_ps(block.scale), shift = _mm512_set1_ps(largest);
  __m512 total = _mm512_setzero_ps();
  for (int64_t i = begin; i < end; i += 16) {
    const __m512 exponent = _mm512_fmsub_ps(_mm512_loadu_ps(scores + i), scale, shift);
    const __m512 weight =
        _mm512_maskz_mov_ps(visible(block, i), exp2_lanes<std::is_same_v<T, float>>(exponent));
    total = _mm512_add_ps(total, weight);
    store(weights + i, weight);
  }
  const float shrink = row.largest == largest ? 1 : std::exp2(row.largest - largest);
  row = {largest, row.total * shrink + _mm512_reduce_add_ps(total)};
  return shrink;
}

}  // namespace

PERFATLAS_AVX512 float softmax_block(const float* scores, const ScoreBlock& block, float* weights,
                                     SoftmaxRow& row) {
  return softmax_of(scores, block, weights, row);
}

PERFATLAS_AVX512 float softmax_block(const float* scores, const ScoreBlock& block, Bf16* weights,
                                     SoftmaxRow& row) {
  return softmax_of(scores, block, weights, row);
}

PERFATLAS_AVX512 void store_scaled(const float* values, int64_t count, float factor, float* to) {
  const __m512 factors = _mm512_set1_ps(factor);
  for (int64_t i = 0; i < count; i += 16) {
    const __mmask16 lanes = lanes_before(count - i);
    _mm512_mask_storeu_ps(to + i, lanes, _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, values + i), factors));
  }
}

PERFATLAS_AVX512 void store_scaled(const float* values, int64_t count, float factor, Bf16* to) {
  const __m512 factors = _mm512_set1_ps(factor);
  for (int64_t i = 0; i < count; i += 16) {
    const __mmask16 lanes = lanes_before(count - i);
    const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, values + i), factors);
    _mm256_mask_storeu_epi16(to + i, lanes, (__m256i)_mm512_cvtneps_pbh(scaled));
  }
}

void scale_floats(float* values, int64_t count, float factor) { store_scaled(values, count, factor, values); }

}  // namespace perfatlas
