// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/rms_norm/rms_norm_cpu_row.h"

#include <cmath>

#include "perfatlas/backends/cpu/avx512_lanes.h"

namespace perfatlas {

template <class T, bool add>
PERFATLAS_AVX512 void norm_row_avx512(const NormRow& row) {
  const auto *x = static_cast<const T*>(row.x), *w = static_cast<const T*>(row.w);
  auto *residual = static_cast<T*>(row.residual), *out = static_cast<T*>(row.out);
  __m512 squares = _mm512_setzero_ps();
  for (int64_t i = 0; i < row.hidden; i += kLanes) {
    const __mmask16 lanes = lanes_from(row.hidden - i);
    __m512 value = load_lanes(x + i, lanes);
    if constexpr (add) {
      value = _mm512_add_ps(value, load_lanes(residual + i, lanes));
      store_lanes(residual + i, lanes, value);
    }
    squares = _mm512_fmadd_ps(value, value, squares);
  }
  const float mean = _mm512_reduce_add_ps(squares) / float(row.hidden);
  const __m512 scale = _mm512_set1_ps(1 / std::sqrt(mean + row.epsilon));
  const T* sum = add ? residual : x;
  for (int64_t i = 0; i < row.hidden; i += kLanes) {
    const __mmask16 lanes = lanes_from(row.hidden - i);
    store_lanes(out + i, lanes,
                _mm512_mul_ps(_mm512_mul_ps(load_lanes(sum + i, lanes), scale), load_lanes(w + i, lanes)));
  }
}

template <class T, bool add>
void norm_row_portable(const NormRow& row) {
  const auto *x = static_cast<const T*>(row.x), *w = static_cast<const T*>(row.w);
  auto *residual = static_cast<T*>(row.residual), *out = static_cast<T*>(row.out);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < row.hidden; ++i) {
    float value = to_float(x[i]);
    if constexpr (add) {
      value += to_float(residual[i]);
      residual[i] = from_float<T>(value);
    }
    squares += value * value;
  }
  const float scale = 1 / std::sqrt(squares / float(row.hidden) + row.epsilon);
  const T* sum = add ? residual : x;
#pragma omp simd
  for (int64_t i = 0; i < row.hidden; ++i) out[i] = from_float<T>(to_float(sum[i]) * scale * to_float(w[i]));
}

template void norm_row_avx512<float, false>(const NormRow&);
template void norm_row_avx512<float, true>(const NormRow&);
template void norm_row_avx512<Bf16, false>(const NormRow&);
template void norm_row_avx512<Bf16, true>(const NormRow&);
template void norm_row_portable<float, false>(const NormRow&);
template void norm_row_portable<float, true>(const NormRow&);
template void norm_row_portable<Bf16, false>(const NormRow&);
template void norm_row_portable<Bf16, true>(const NormRow&);

}  // namespace perfatlas
