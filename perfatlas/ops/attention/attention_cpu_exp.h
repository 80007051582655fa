// SPDX-License-Identifier: Apache-2.0
// Powers of two in AVX-512.
#pragma once

#include "perfatlas/backends/cpu/avx512.h"

namespace perfatlas {

/// 2^x for x <= 0, lane by lane; 0 below the smallest float. Taylor series of 2^f about 0 on |f| <= 1/2: relative
/// error 3e-6 with `precise`, else 6e-4 (below half a unit in the last place of bf16, 2e-3).
template <bool precise>
PERFATLAS_AVX512 inline __m512 exp2_lanes(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(x, whole);
  __m512 sum = _mm512_set1_ps(0.0555041087F);  // ln(2)^3 / 3!
  if constexpr (precise) {
    sum = _mm512_fmadd_ps(_mm512_set1_ps(0.00133335581F), f, _mm512_set1_ps(0.00961812911F));
    sum = _mm512_fmadd_ps(sum, f, _mm512_set1_ps(0.0555041087F));
  }
  sum = _mm512_fmadd_ps(sum, f, _mm512_set1_ps(0.240226507F));
  sum = _mm512_fmadd_ps(sum, f, _mm512_set1_ps(0.693147181F));
  sum = _mm512_fmadd_ps(sum, f, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(sum, whole);
}

}  // namespace perfatlas
