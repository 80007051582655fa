// SPDX-License-Identifier: Apache-2.0
// FlashInfer's RMS normalisation.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: norm.cuh uses math.cuh without including it.
#include <flashinfer/norm.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/ops/rms_norm/rms_norm_cuda_unit.h"

namespace perfatlas {

template <class T>
void launch_flashinfer_rms_norm(const RmsNormBuffers& buffers, const RmsNorm& op, Stream stream) {
  check_flashinfer("FlashInfer RMSNorm", [&] {
    const auto width = uint32_t(op.hidden);
    return flashinfer::norm::RMSNorm(static_cast<T*>(buffers.x), static_cast<T*>(buffers.w),
                                     static_cast<T*>(buffers.out), uint32_t(op.tokens), width, width, width,
                                     float(RmsNorm::kEpsilon), false, static_cast<cudaStream_t>(stream));
  });
}

}  // namespace perfatlas
