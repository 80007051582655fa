// SPDX-License-Identifier: Apache-2.0
// oneDNN 3.2 has no rotary embedding.
#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {
namespace {

/// Rotates one head: `part` its rotated elements, `row` the position's cosines and sines.
template <class T>
PERFATLAS_AVX512 void rotate_avx512(T* part, const float* row, int64_t pairs) {
  for (int64_t i = 0; i < pairs; i += kLanes) {
    const __mmask16 lanes = lanes_from(pairs - i);
    const __m512 a = load_lanes(part + i, lanes), b = load_lanes(part + pairs + i, lanes);
    const __m512 c = load_lanes(row + i, lanes), s = load_lanes(row + pairs + i, lanes);
    store_lanes(part + i, lanes, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
    store_lanes(part + pairs + i, lanes, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
  }
}

template <class T>
void rotate_portable(T* part, const float* row, int64_t pairs) {
#pragma omp simd
  for (int64_t i = 0; i < pairs; ++i) {
    const float a = to_float(part[i]), b = to_float(part[pairs + i]), c = row[i], s = row[pairs + i];
    part[i] = from_float<T>(a * c - b * s);
    part[pairs + i] = from_float<T>(b * c + a * s);
  }
}

template <class T, void (*rotate)(T*, const float*, int64_t)>
void rotate_tokens(const Rope& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto* table = static_cast<const float*>(operands[2]);
  const auto* position = static_cast<const int32_t*>(operands[3]);
  for (int64_t token = first; token < last; ++token) {
    const float* row = table + int64_t(position[token]) * op.rotary_dim;
    T* q = static_cast<T*>(operands[0]) + token * op.heads * op.head_dim + op.rotary_offset;
    T* k = static_cast<T*>(operands[1]) + token * op.kv_heads * op.key_dim();
    for (int64_t head = 0; head < op.heads; ++head) rotate(q + head * op.head_dim, row, op.rotary_dim / 2);
    for (int64_t head = 0; head < op.kv_heads; ++head)
      rotate(k + head * op.key_dim(), row, op.rotary_dim / 2);
  }
}

struct RopeLoops {
  using Op = Rope;
  static std::string why_not(const Op& op) { return why_no_loop_type(op.dtype); }
  static int64_t items(const Op& op) { return op.tokens; }
  static LoopShare<Op> avx512(const Op& op) {
    if (op.dtype == DType::f32) return &rotate_tokens<float, rotate_avx512<float>>;
    return &rotate_tokens<Bf16, rotate_avx512<Bf16>>;
  }
  static LoopShare<Op> portable(const Op& op) {
    if (op.dtype == DType::f32) return &rotate_tokens<float, rotate_portable<float>>;
    return &rotate_tokens<Bf16, rotate_portable<Bf16>>;
  }
};

}  // namespace

void add_rope_cpu_kernels(KernelRegistry& registry) { add_loop_kernels<RopeLoops>(registry); }

}  // namespace perfatlas
