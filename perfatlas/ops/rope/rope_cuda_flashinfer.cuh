// SPDX-License-Identifier: Apache-2.0
// FlashInfer's rotary embedding from a table of cosines and sines.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: pos_enc.cuh uses math.cuh without including it.
#include <flashinfer/pos_enc.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/ops/rope/rope_cuda_unit.h"

namespace perfatlas {

template <class T>
void launch_flashinfer_rope(const RopeBuffers& buffers, const Rope& op, Stream stream) {
  // Only the rotated part of a head is looked at: a head that begins at the offset and has rotary_dim elements.
  auto* q = static_cast<T*>(buffers.q) + op.rotary_offset;
  auto* k = static_cast<T*>(buffers.k);
  const auto q_row = size_t(op.heads * op.head_dim), k_row = size_t(op.kv_heads * op.key_dim());
  const auto q_head = size_t(op.head_dim), k_head = size_t(op.key_dim());
  check_flashinfer("FlashInfer rotary embedding", [&] {
    return flashinfer::BatchQKApplyRotaryPosIdsCosSinCache(
        q, k, q, k, buffers.cos_sin, buffers.position, uint32_t(op.tokens), uint32_t(op.heads),
        uint32_t(op.kv_heads), uint32_t(op.rotary_dim), uint32_t(op.rotary_dim), q_row, q_head, k_row, k_head,
        q_row, q_head, k_row, k_head, /*interleave=*/false, static_cast<cudaStream_t>(stream));
  });
}

}  // namespace perfatlas
