// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_cpu_loops.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/ops/attention/attention_cpu_exp.h"

namespace perfatlas {
namespace {

using Choices = std::span<const ExpertRows::Choice>;

float weight_of(const ExpertRows::Choice& choice, const float* row_scale) {
  return row_scale == nullptr ? choice.weight : choice.weight * row_scale[choice.row];
}

// ---- AVX-512 -------------------------------------------------------------------------------------------------------

template <class From, class To>
PERFATLAS_AVX512 void copy_lanes(const From* from, int64_t count, float factor, To* to) {
  const __m512 by = _mm512_set1_ps(factor);
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_from(count - i);
    store_lanes(to + i, lanes, _mm512_mul_ps(load_lanes(from + i, lanes), by));
  }
}

template <class T>
PERFATLAS_AVX512 void widen_avx512(const T* from, int64_t count, float* to) {
  copy_lanes(from, count, 1, to);
}

/// 1 / (1 + e^-x) without overflow: the exponential is that of -|x|, at least 2^-100, because the CPU is many times
/// slower where results are subnormal.
PERFATLAS_AVX512 inline __m512 sigmoid(__m512 x) {
  constexpr float kLog2E = 1.44269504F;
  const __m512 one = _mm512_set1_ps(1);
  const __m512 exponent = _mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(-kLog2E));
  const __m512 e = exp2_lanes<true>(_mm512_max_ps(exponent, _mm512_set1_ps(-100)));
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_div_ps(_mm512_mask_blend_ps(negative, one, e), _mm512_add_ps(one, e));
}

template <class Middle>
PERFATLAS_AVX512 void activate_avx512(const float* gate, const float* up, int64_t count, float scale,
                                      Middle* middle) {
  const __m512 by = _mm512_set1_ps(scale);
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_from(count - i);
    const __m512 u = _mm512_mul_ps(load_lanes(up + i, lanes), by);
    if (gate == nullptr) {
      const __m512 positive = _mm512_max_ps(u, _mm512_setzero_ps());
      store_lanes(middle + i, lanes, _mm512_mul_ps(positive, positive));
    } else {
      const __m512 g = _mm512_mul_ps(load_lanes(gate + i, lanes), by);
      store_lanes(middle + i, lanes, _mm512_mul_ps(_mm512_mul_ps(g, sigmoid(g)), u));
    }
  }
}

template <class From>
PERFATLAS_AVX512 float quantise_avx512(const From* from, int64_t count, int8_t* to) {
  __m512 largest = _mm512_setzero_ps();
  for (int64_t i = 0; i < count; i += kLanes)
    largest = _mm512_max_ps(largest, _mm512_abs_ps(load_lanes(from + i, lanes_from(count - i))));
  const float most = _mm512_reduce_max_ps(largest);
  if (most == 0) {
    std::fill_n(to, count, int8_t{0});
    return 1;
  }
  copy_lanes(from, count, 127 / most, to);
  return most / 127;
}

template <class T>
PERFATLAS_AVX512 void combine_avx512(Choices choices, const T* results, const float* row_scale,
                                     int64_t stride, int64_t count, T* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_from(count - i);
    __m512 sum = _mm512_setzero_ps();
    for (const ExpertRows::Choice& choice : choices)
      if (choice.row >= 0)
        sum = _mm512_fmadd_ps(_mm512_set1_ps(weight_of(choice, row_scale)),
                              load_lanes(results + choice.row * stride + i, lanes), sum);
    store_lanes(out + i, lanes, sum);
  }
}

// ---- any CPU -------------------------------------------------------------------------------------------------------

template <class T>
void widen_portable(const T* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = to_float(from[i]);
}

template <class Middle>
void activate_portable(const float* gate, const float* up, int64_t count, float scale, Middle* middle) {
  for (int64_t i = 0; i < count; ++i) {
    const float u = scale * up[i];
    if (gate == nullptr) {
      middle[i] = from_float<Middle>(u > 0 ? u * u : 0);
    } else {
      const float g = scale * gate[i];
      middle[i] = from_float<Middle>(g / (1 + std::exp(-g)) * u);
    }
  }
}

template <class From>
float quantise_portable(const From* from, int64_t count, int8_t* to) {
  float most = 0;
  for (int64_t i = 0; i < count; ++i) most = std::max(most, std::abs(to_float(from[i])));
  const float factor = most == 0 ? 1 : 127 / most;
  for (int64_t i = 0; i < count; ++i) to[i] = to_int8(to_float(from[i]) * factor);
  return 1 / factor;
}

template <class T>
void combine_portable(Choices choices, const T* results, const float* row_scale, int64_t stride,
                      int64_t count, T* out) {
  for (int64_t i = 0; i < count; ++i) {
    float sum = 0;
    for (const ExpertRows::Choice& choice : choices)
      if (choice.row >= 0) sum += weight_of(choice, row_scale) * to_float(results[choice.row * stride + i]);
    out[i] = from_float<T>(sum);
  }
}

}  // namespace

template <class T, class Middle>
ExpertLoops<T, Middle> expert_loops(const CpuIsa& isa) {
  if (isa.avx512 && isa.avx512_bf16)
    return {&widen_avx512<T>, &activate_avx512<Middle>, &quantise_avx512<T>, &quantise_avx512<Middle>,
            &combine_avx512<T>};
  return {&widen_portable<T>, &activate_portable<Middle>, &quantise_portable<T>, &quantise_portable<Middle>,
          &combine_portable<T>};
}

template ExpertLoops<float, float> expert_loops(const CpuIsa&);
template ExpertLoops<Bf16, Bf16> expert_loops(const CpuIsa&);
template ExpertLoops<Bf16, float> expert_loops(const CpuIsa&);

}  // namespace perfatlas
