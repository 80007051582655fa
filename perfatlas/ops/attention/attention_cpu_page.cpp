// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_page.h"

#include <utility>

#include "perfatlas/backends/cpu/avx512.h"

namespace perfatlas {
namespace {

/// Lane i of the result is the sum of all lanes of rows[i].
PERFATLAS_AVX512 inline __m512 sum_rows(const __m512* rows) {
  __m512 quads[4];  // in each 128-bit lane: four rows, summed over that lane
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512* r = rows + 4 * i;
    const __m512 first = _mm512_add_ps(_mm512_unpacklo_ps(r[0], r[1]), _mm512_unpackhi_ps(r[0], r[1]));
    const __m512 second = _mm512_add_ps(_mm512_unpacklo_ps(r[2], r[3]), _mm512_unpackhi_ps(r[2], r[3]));
    const __m512d a = _mm512_castps_pd(first), b = _mm512_castps_pd(second);
    quads[i] =
        _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  }
  const __m512 low = _mm512_add_ps(_mm512_shuffle_f32x4(quads[0], quads[1], 0x44),
                                   _mm512_shuffle_f32x4(quads[0], quads[1], 0xEE));
  const __m512 high = _mm512_add_ps(_mm512_shuffle_f32x4(quads[2], quads[3], 0x44),
                                    _mm512_shuffle_f32x4(quads[2], quads[3], 0xEE));
  return _mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xDD));
}

/// Vector `i` of a row: 16 floats or 32 bf16, zero where `lanes` has no bit.
PERFATLAS_AVX512 inline __m512 load(const float* row, int64_t i, uint32_t lanes) {
  return _mm512_maskz_loadu_ps(__mmask16(lanes), row + 16 * i);
}
PERFATLAS_AVX512 inline __m512bh load(const Bf16* row, int64_t i, uint32_t lanes) {
  return (__m512bh)_mm512_maskz_loadu_epi16(lanes, row + 32 * i);
}
PERFATLAS_AVX512 inline __m512 multiply_add(__m512 sum, __m512 a, __m512 b) {
  return _mm512_fmadd_ps(a, b, sum);
}
PERFATLAS_AVX512 inline __m512 multiply_add(__m512 sum, __m512bh a, __m512bh b) {
  return _mm512_dpbf16_ps(sum, a, b);
}

template <class T>
inline constexpr int64_t kLanes = 64 / int64_t(sizeof(T));

constexpr uint32_t kAllLanes = ~0U;

/// Lanes of the last vector of a row.
template <class T>
uint32_t last_lanes(const PageShape& shape) {
  const int64_t rest = shape.head_dim % kLanes<T>;
  return rest == 0 ? kAllLanes : (1U << rest) - 1;
}

int64_t sum_stride(const PageShape& shape) { return Avx512Pages<Bf16>::sum_stride(shape); }

/// Asks for `count` rows of a page from row `first` on.
template <class T>
inline void fetch_rows(const PageShape& shape, const T* page, int64_t first, int64_t count) {
  const auto* row = reinterpret_cast<const std::byte*>(page + first * shape.head_dim);
  const auto bytes = count * shape.head_dim * int64_t(sizeof(T));
  for (int64_t byte = 0; byte < bytes; byte += 64) fetch_line(row + byte);
}

/// `vectors`: of one row. Sixteen keys at a time, so that the sums over lanes cost three instructions each.
template <class T, int vectors>
PERFATLAS_AVX512 void scores_of(const PageShape& shape, const T* q, const PageStep<T>& step, float* scores) {
  const uint32_t last = last_lanes<T>(shape);
  for (int64_t head = 0; head < shape.heads; ++head) {
    decltype(load(q, 0, 0U)) query[vectors];
#pragma GCC unroll 16
    for (int i = 0; i < vectors; ++i)
      query[i] = load(q + head * shape.head_dim, i, i == vectors - 1 ? last : kAllLanes);
    for (int64_t token = 0; token < kPageTokens; token += 16) {
      if (head == 0) fetch_rows(shape, step.values, token, 16);
      __m512 sums[16];
#pragma GCC unroll 16
      for (int t = 0; t < 16; ++t) {
        const T* key = step.keys + (token + t) * shape.head_dim;
        sums[t] = _mm512_setzero_ps();
#pragma GCC unroll 16
        for (int i = 0; i < vectors; ++i)
          sums[t] = multiply_add(sums[t], query[i], load(key, i, i == vectors - 1 ? last : kAllLanes));
      }
      _mm512_storeu_ps(scores + head * kPageTokens + token, sum_rows(sums));
    }
  }
}

template <int vectors>
PERFATLAS_AVX512 void add_values_of(const PageShape& shape, const float* weights, const PageStep<float>& step,
                                    float* sums) {
  const uint32_t last = last_lanes<float>(shape);
  for (int64_t head = 0; head < shape.heads; ++head) {
    __m512 sum[vectors];
    float* row = sums + head * sum_stride(shape);
#pragma GCC unroll 16
    for (int i = 0; i < vectors; ++i) sum[i] = _mm512_loadu_ps(row + 16 * i);
    for (int64_t token = 0; token < kPageTokens; ++token) {
      if (head == 0) fetch_rows(shape, step.next_keys, token, 1);
      const __m512 weight = _mm512_set1_ps(weights[head * kPageTokens + token]);
#pragma GCC unroll 16
      for (int i = 0; i < vectors; ++i)
        sum[i] = _mm512_fmadd_ps(
            weight, load(step.values + token * shape.head_dim, i, i == vectors - 1 ? last : kAllLanes),
            sum[i]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < vectors; ++i) _mm512_storeu_ps(row + 16 * i, sum[i]);
  }
}

/// Two tokens at a time: their values are interleaved, within 128-bit lanes, into the pairs that the dot product
/// takes. So the low half of a pair of sums has columns 0-3, 8-11, 16-19, 24-27 and the high half the others.
template <int vectors, int heads>
PERFATLAS_AVX512 void add_values_of_heads(const PageShape& shape, const Bf16* weights, const Bf16* values,
                                          float* sums) {
  const uint32_t last = last_lanes<Bf16>(shape);
  __m512 sum[heads][2 * vectors];
#pragma GCC unroll 4
  for (int head = 0; head < heads; ++head)
#pragma GCC unroll 16
    for (int i = 0; i < 2 * vectors; ++i)
      sum[head][i] = _mm512_loadu_ps(sums + head * sum_stride(shape) + 16 * i);
  for (int64_t token = 0; token < kPageTokens; token += 2) {
    __m512bh pair[heads];
#pragma GCC unroll 4
    for (int head = 0; head < heads; ++head) {
      int bits;
      std::memcpy(&bits, weights + head * kPageTokens + token, sizeof bits);
      pair[head] = (__m512bh)_mm512_set1_epi32(bits);
    }
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) {
      const uint32_t lanes = i == vectors - 1 ? last : kAllLanes;
      const auto even = (__m512i)load(values + token * shape.head_dim, i, lanes);
      const auto odd = (__m512i)load(values + (token + 1) * shape.head_dim, i, lanes);
      const auto low = (__m512bh)_mm512_unpacklo_epi16(even, odd),
                 high = (__m512bh)_mm512_unpackhi_epi16(even, odd);
#pragma GCC unroll 4
      for (int head = 0; head < heads; ++head) {
        sum[head][2 * i] = _mm512_dpbf16_ps(sum[head][2 * i], low, pair[head]);
        sum[head][2 * i + 1] = _mm512_dpbf16_ps(sum[head][2 * i + 1], high, pair[head]);
      }
    }
  }
#pragma GCC unroll 4
  for (int head = 0; head < heads; ++head)
#pragma GCC unroll 16
    for (int i = 0; i < 2 * vectors; ++i)
      _mm512_storeu_ps(sums + head * sum_stride(shape) + 16 * i, sum[head][i]);
}

template <int vectors>
PERFATLAS_AVX512 void add_values_of(const PageShape& shape, const Bf16* weights, const PageStep<Bf16>& step,
                                    float* sums) {
  constexpr int kHeads = vectors <= 4 ? 2 : 1;  // as many sums as registers hold
  fetch_rows(shape, step.next_keys, 0, kPageTokens);
  int64_t head = 0;
  for (; head + kHeads <= shape.heads; head += kHeads)
    add_values_of_heads<vectors, kHeads>(shape, weights + head * kPageTokens, step.values,
                                         sums + head * sum_stride(shape));
  for (; head < shape.heads; ++head)
    add_values_of_heads<vectors, 1>(shape, weights + head * kPageTokens, step.values,
                                    sums + head * sum_stride(shape));
}

/// Calls `function.template operator()<vectors>()` for the number of vectors in a row.
template <class T, class Function>
void with_vectors(const PageShape& shape, const Function& function) {
  const int64_t wanted = (shape.head_dim + kLanes<T> - 1) / kLanes<T>;
  [&]<int... n>(std::integer_sequence<int, n...>) {
    ((wanted == n + 1 ? function.template operator()<n + 1>() : void()), ...);
  }
  (std::make_integer_sequence<int, int(256 / kLanes<T>)>{});
}

}  // namespace

template <class T>
void Avx512Pages<T>::add_page(const PageStep<T>& step, const RunningSums& running, std::byte* scratch) const {
  const auto* q = reinterpret_cast<const T*>(scratch);
  auto* scores = reinterpret_cast<float*>(scratch + query_bytes());
  auto* weights = reinterpret_cast<T*>(scores + shape_.heads * kPageTokens);
  with_vectors<T>(shape_, [&]<int vectors>() { scores_of<T, vectors>(shape_, q, step, scores); });
  for (int64_t head = 0; head < shape_.heads; ++head) {
    const float shrink = softmax_block(scores + head * kPageTokens, step.block, weights + head * kPageTokens,
                                       running.softmax[head]);
    if (shrink != 1) scale(running.sums, head, shrink);
  }
  with_vectors<T>(shape_,
                  [&]<int vectors>() { add_values_of<vectors>(shape_, weights, step, running.sums); });
}

template <>
void Avx512Pages<float>::store(const float* sums, int64_t head, float factor, float* out) const {
  for (int64_t d = 0; d < shape_.head_dim; ++d) out[d] = sums[head * sum_stride(shape_) + d] * factor;
}
template <>
void Avx512Pages<Bf16>::store(const float* sums, int64_t head, float factor, Bf16* out) const {
  for (int64_t d = 0; d < shape_.head_dim; ++d) {
    const int64_t vector = d / 32 * 32, within = d % 32;  // see add_values_of_heads
    const int64_t at = vector + within % 8 / 4 * 16 + within / 8 * 4 + within % 4;
    out[d] = from_float<Bf16>(sums[head * sum_stride(shape_) + at] * factor);
  }
}

template class Avx512Pages<float>;
template class Avx512Pages<Bf16>;

}  // namespace perfatlas
