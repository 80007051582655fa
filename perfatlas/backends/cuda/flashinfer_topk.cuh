// SPDX-License-Identifier: Apache-2.0
// FlashInfer's selection of the largest: of equal values those of lower index, the same in every run.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: topk.cuh uses math.cuh without including it.
#include <flashinfer/topk.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/backends/cuda/top_k_unit.h"

namespace perfatlas {

/// The largest of every row, best first.
template <class T>
void launch_flashinfer_top_k(const TopKRows& rows, Stream stream) {
  check_flashinfer("FlashInfer top-k", [&] {
    return flashinfer::sampling::TopKDispatch<T, int32_t>(
        static_cast<T*>(rows.values), rows.index, static_cast<T*>(rows.kept), uint32_t(rows.rows),
        uint32_t(rows.topk), uint32_t(rows.columns), nullptr, /*sorted_output=*/true, /*deterministic=*/true,
        flashinfer::sampling::TopKTieBreak::Small, static_cast<cudaStream_t>(stream));
  });
}

/// Where the largest of the first lengths[row] values of every row are, ascending.
inline void launch_flashinfer_ragged_top_k(const TopKRows& rows, Stream stream) {
  check_flashinfer("FlashInfer ragged top-k", [&] {
    return flashinfer::sampling::TopKRaggedTransformDispatch<float, int32_t>(
        static_cast<float*>(rows.values), rows.index, rows.offsets, rows.lengths, nullptr,
        uint32_t(rows.rows), uint32_t(rows.topk), uint32_t(rows.columns), nullptr, /*deterministic=*/true,
        flashinfer::sampling::TopKTieBreak::Small, static_cast<cudaStream_t>(stream));
  });
}

}  // namespace perfatlas
