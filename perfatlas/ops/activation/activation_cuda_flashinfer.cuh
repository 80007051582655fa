// SPDX-License-Identifier: Apache-2.0
// FlashInfer's gated activation functions.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: activation.cuh uses math.cuh without including it.
#include <algorithm>
#include <flashinfer/activation.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/ops/activation/activation_cuda_unit.h"

namespace perfatlas {

__device__ __forceinline__ float silu_of(const float& v) { return v / (1.0F + __expf(-v)); }
/// The tanh form; 0.79788... is sqrt(2 / pi).
__device__ __forceinline__ float gelu_of(const float& v) {
  return v * 0.5F * (1.0F + tanhf(0.7978845608F * (v + 0.044715F * v * v * v)));
}

template <class T, float (*function)(const float&), uint32_t vector>
void enqueue_act_and_mul(const ActivationBuffers& buffers, const Activation& op, Stream stream) {
  constexpr int64_t kMostThreads = 256;  // the kernel's launch bound
  const auto threads = unsigned(std::clamp<int64_t>(op.inter / vector, 1, kMostThreads));
  flashinfer::activation::act_and_mul_kernel<T, function, vector>
      <<<unsigned(op.tokens), threads, 0, static_cast<cudaStream_t>(stream)>>>(
          static_cast<T*>(buffers.out), static_cast<const T*>(buffers.x), int(op.inter));
  check_cuda(cudaGetLastError(), "FlashInfer act_and_mul");
}

/// With the widest vectors that keep both halves of a row aligned.
template <class T, float (*function)(const float&)>
void enqueue_by_alignment(const ActivationBuffers& buffers, const Activation& op, Stream stream) {
  if (op.inter % 8 == 0) return enqueue_act_and_mul<T, function, 8>(buffers, op, stream);
  if (op.inter % 4 == 0) return enqueue_act_and_mul<T, function, 4>(buffers, op, stream);
  if (op.inter % 2 == 0) return enqueue_act_and_mul<T, function, 2>(buffers, op, stream);
  return enqueue_act_and_mul<T, function, 1>(buffers, op, stream);
}

template <class T>
void launch_flashinfer_activation(const ActivationBuffers& buffers, const Activation& op, Stream stream) {
  if (op.kind == ActivationKind::silu_mul) return enqueue_by_alignment<T, silu_of>(buffers, op, stream);
  enqueue_by_alignment<T, gelu_of>(buffers, op, stream);
}

}  // namespace perfatlas
