// SPDX-License-Identifier: Apache-2.0
// One fused pass per token: the row stays in the first-level cache between the sum and the norm. oneDNN 3.2 has a
// layer normalisation but no RMS one, and none that adds.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/backends/cpu/avx512.h"
#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {
namespace {

struct NormRow {
  const void* x;
  void* residual;
  const void* w;
  void* out;
  int64_t hidden;
};

__mmask16 lanes_from(int64_t left) { return __mmask16(left >= 16 ? 0xFFFF : (1 << left) - 1); }

PERFATLAS_AVX512 inline __m512 load(const float* from, __mmask16 lanes) {
  return _mm512_maskz_loadu_ps(lanes, from);
}
PERFATLAS_AVX512 inline __m512 load(const uint16_t* from, __mmask16 lanes) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
PERFATLAS_AVX512 inline void store(float* to, __mmask16 lanes, __m512 values) {
  _mm512_mask_storeu_ps(to, lanes, values);
}
PERFATLAS_AVX512 inline void store(uint16_t* to, __mmask16 lanes, __m512 values) {
  _mm256_mask_storeu_epi16(to, lanes, (__m256i)_mm512_cvtneps_pbh(values));
}

/// T: float, or uint16_t for bf16 as stored.
template <class T>
PERFATLAS_AVX512 void norm_avx512(const NormRow& row) {
  const auto* x = static_cast<const T*>(row.x);
  const auto* w = static_cast<const T*>(row.w);
  auto* residual = static_cast<T*>(row.residual);
  auto* out = static_cast<T*>(row.out);
  __m512 squares = _mm512_setzero_ps();
  for (int64_t i = 0; i < row.hidden; i += 16) {
    const __mmask16 lanes = lanes_from(row.hidden - i);
    const __m512 sum = _mm512_add_ps(load(x + i, lanes), load(residual + i, lanes));
    squares = _mm512_fmadd_ps(sum, sum, squares);
    store(residual + i, lanes, sum);
  }
  const float mean = _mm512_reduce_add_ps(squares) / float(row.hidden);
  const __m512 scale = _mm512_set1_ps(1 / std::sqrt(mean + float(AddRmsNorm::kEpsilon)));
  for (int64_t i = 0; i < row.hidden; i += 16) {
    const __mmask16 lanes = lanes_from(row.hidden - i);
    store(out + i, lanes, _mm512_mul_ps(_mm512_mul_ps(load(residual + i, lanes), scale), load(w + i, lanes)));
  }
}

/// For CPUs without AVX-512.
void norm_portable(const NormRow& row) {
  const auto* x = static_cast<const float*>(row.x);
  const auto* w = static_cast<const float*>(row.w);
  auto* residual = static_cast<float*>(row.residual);
  auto* out = static_cast<float*>(row.out);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < row.hidden; ++i) {
    residual[i] += x[i];
    squares += residual[i] * residual[i];
  }
  const float scale = 1 / std::sqrt(squares / float(row.hidden) + float(AddRmsNorm::kEpsilon));
  for (int64_t i = 0; i < row.hidden; ++i) out[i] = residual[i] * scale * w[i];
}

class FusedLoop final : public PreparedKernel {
 public:
  using RowFunction = void (*)(const NormRow&);

  FusedLoop(const AddRmsNorm& op, int threads, RowFunction norm)
      : op_(op), threads_(int(std::min<int64_t>(threads, op.tokens))), norm_(norm) {}

  void launch(Stream, std::span<void* const> operands, void*) override {
    const auto row_bytes = size_t(double(op_.hidden) * bytes_of(op_.dtype));
    const auto at = [&](size_t operand, int64_t token) {
      return static_cast<std::byte*>(operands[operand]) + size_t(token) * row_bytes;
    };
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
    for (int64_t token = 0; token < op_.tokens; ++token)
      norm_({at(0, token), at(1, token), operands[2], at(3, token), op_.hidden});
  }

 private:
  AddRmsNorm op_;
  int threads_;
  RowFunction norm_;
};

std::string why_unsupported(const AddRmsNorm& op, const CpuDevice& device) {
  if (op.dtype == DType::f32) return {};
  if (op.dtype != DType::bf16) return fmt::format("no CPU kernel normalises {}", name_of(op.dtype));
  return device.isa().avx512_bf16 ? "" : "this CPU has no AVX-512 bf16 instructions";
}

std::unique_ptr<PreparedKernel> prepare(const AddRmsNorm& op, CpuDevice& device) {
  FusedLoop::RowFunction norm = device.isa().avx512 ? norm_avx512<float> : norm_portable;
  if (op.dtype == DType::bf16) norm = norm_avx512<uint16_t>;
  return std::make_unique<FusedLoop>(op, device.threads(), norm);
}

}  // namespace

void add_add_rms_norm_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<AddRmsNorm, CpuDevice>{"perfatlas_fused_loop", "onednn", &why_unsupported, &prepare});
}

}  // namespace perfatlas
