// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gdn/gdn_cpu_chunk_steps.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/attention/attention_cpu_exp.h"
#include "perfatlas/ops/mamba2/linear_cpu.h"

namespace perfatlas {
namespace {

constexpr float kLog2E = 1.44269504F;
constexpr int64_t kVectors = 4, kBlockColumns = 16 * kVectors;

}  // namespace

PERFATLAS_AVX512 void gdn_gather_keys(const Gdn& op, const uint16_t* from, float scale, int64_t rows,
                                      uint16_t* to) {
  for (int64_t t = 0; t < rows; ++t, from += op.k_heads * op.k_dim, to += op.k_dim) {
    __m512 squares = _mm512_setzero_ps();
    for (int64_t i = 0; i < op.k_dim; i += 16) {
      const __m512 value = load_bf16(from + i, lanes_of(op.k_dim - i));
      squares = _mm512_fmadd_ps(value, value, squares);
    }
    const __m512 factor =
        _mm512_set1_ps(scale / std::sqrt(_mm512_reduce_add_ps(squares) + float(Gdn::kNormEpsilon)));
    for (int64_t i = 0; i < op.k_dim; i += 16) {
      const __mmask16 lanes = lanes_of(op.k_dim - i);
      store_bf16(to + i, lanes, _mm512_mul_ps(load_bf16(from + i, lanes), factor));
    }
  }
}

void gdn_read_gates(const Gdn& op, const float* g, const uint16_t* beta, int64_t rows, const GdnScratch& s) {
  float log2_decay = 0;
  for (int64_t t = 0; t < rows; ++t) {
    s.log2_decay[t] = log2_decay += g[t * op.v_heads] * kLog2E;
    s.beta[t] = bf16_to_float(beta[t * op.v_heads]);
  }
}

PERFATLAS_AVX512 void gdn_mask(int64_t rows, const GdnScratch& s) {
  for (int64_t t = 0; t < rows; ++t) {
    const __m512 now = _mm512_set1_ps(s.log2_decay[t]), beta = _mm512_set1_ps(s.beta[t]);
    for (int64_t u = 0; u < rows; u += 16) {
      const __mmask16 inside = lanes_of(rows - u), causal = u > t ? __mmask16(0) : lanes_of(t + 1 - u);
      __m512 masked = _mm512_setzero_ps();
      if (causal != 0) {
        const __m512 decay = exp2_lanes<true>(_mm512_sub_ps(now, load_floats(s.log2_decay + u, causal)));
        masked = _mm512_maskz_mul_ps(causal, load_floats(s.gram + t * rows + u, causal), decay);
        const __m512 keys = load_floats(s.gram + (rows + t) * rows + u, causal);
        store_floats(s.system + t * rows + u, causal, _mm512_mul_ps(_mm512_mul_ps(keys, decay), beta));
      }
      store_bf16(s.masked + t * rows + u, inside, masked);
    }
  }
}

PERFATLAS_AVX512 void gdn_weigh_keys(const Gdn& op, int64_t rows, const GdnScratch& s) {
  const uint16_t* const keys = s.qk + rows * op.k_dim;
  for (int64_t u = 0; u < rows; ++u) {
    const __m512 factor = _mm512_set1_ps(std::exp2(s.log2_decay[rows - 1] - s.log2_decay[u]));
    for (int64_t i = 0; i < op.k_dim; i += 16) {
      const __mmask16 lanes = lanes_of(op.k_dim - i);
      store_bf16(s.weighted_keys + u * op.k_dim + i, lanes,
                 _mm512_mul_ps(load_bf16(keys + u * op.k_dim + i, lanes), factor));
    }
  }
}

PERFATLAS_AVX512 void gdn_round_state(const Gdn& op, float log2_decay, const GdnScratch& s, float* state) {
  const __m512 factor = _mm512_set1_ps(std::exp2(log2_decay));
  for (int64_t i = 0; i < op.k_dim * op.v_dim; i += 16) {
    const __mmask16 lanes = lanes_of(op.k_dim * op.v_dim - i);
    const __m512 value = load_floats(state + i, lanes);
    store_bf16(s.state + i, lanes, value);
    store_floats(state + i, lanes, _mm512_mul_ps(value, factor));
  }
}

PERFATLAS_AVX512 void gdn_right_side(const Gdn& op, const uint16_t* v, bool first, int64_t rows,
                                     const GdnScratch& s) {
  for (int64_t t = 0; t < rows; ++t) {
    const __m512 decay = _mm512_set1_ps(std::exp2(s.log2_decay[t])), beta = _mm512_set1_ps(s.beta[t]);
    for (int64_t j = 0; j < op.v_dim; j += 16) {
      const __mmask16 lanes = lanes_of(op.v_dim - j);
      __m512 change = load_bf16(v + t * op.v_heads * op.v_dim + j, lanes);
      if (!first) {
        float* const read = s.read + t * op.v_dim + j;
        change = _mm512_fnmadd_ps(decay, load_floats(read + rows * op.v_dim, lanes), change);
        store_floats(read, lanes, _mm512_mul_ps(decay, load_floats(read, lanes)));
      }
      store_floats(s.changes + t * op.v_dim + j, lanes, _mm512_mul_ps(beta, change));
    }
  }
}

PERFATLAS_AVX512 void gdn_solve(const Gdn& op, int64_t rows, const GdnScratch& s) {
  for (int64_t first = 0; first < op.v_dim; first += kBlockColumns) {
    __mmask16 lanes[kVectors];
    for (int c = 0; c < kVectors; ++c) lanes[c] = lanes_of(std::max<int64_t>(op.v_dim - first - 16 * c, 0));
    for (int64_t t = 0; t < rows; ++t) {
      float* const row = s.changes + t * op.v_dim + first;
      __m512 change[kVectors];
      for (int c = 0; c < kVectors; ++c) change[c] = load_floats(row + 16 * c, lanes[c]);
      for (int64_t u = 0; u < t; ++u) {
        const __m512 factor = _mm512_set1_ps(s.system[t * rows + u]);
        const float* const earlier = s.changes + u * op.v_dim + first;
        for (int c = 0; c < kVectors; ++c)
          change[c] = _mm512_fnmadd_ps(factor, load_floats(earlier + 16 * c, lanes[c]), change[c]);
      }
      for (int c = 0; c < kVectors; ++c) {
        store_floats(row + 16 * c, lanes[c], change[c]);
        store_bf16(s.rounded_changes + t * op.v_dim + first + 16 * c, lanes[c], change[c]);
      }
    }
  }
}

PERFATLAS_AVX512 void gdn_write_out(const Gdn& op, int64_t rows, const GdnScratch& s, uint16_t* o) {
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t j = 0; j < op.v_dim; j += 16) {
      const __mmask16 lanes = lanes_of(op.v_dim - j);
      store_bf16(o + t * op.v_heads * op.v_dim + j, lanes, load_floats(s.read + t * op.v_dim + j, lanes));
    }
}

}  // namespace perfatlas
