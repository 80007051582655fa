// SPDX-License-Identifier: Apache-2.0
// FlashInfer's segment GEMM for Hopper: CUTLASS's grouped product over arrays of pointers.
#pragma once

#include <flashinfer/math.cuh>
// Order matters: the others use math.cuh without including it.
#include <flashinfer/cutlass_utils.cuh>
#include <flashinfer/gemm/group_gemm_sm90.cuh>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/backends/cuda/grouped_matmul.h"

namespace perfatlas {

template <class In, class Out>
class SegmentGemm final : public GroupedMatmul {
 public:
  /// FlashInfer's Python front end hands it this much: descriptors of every multiprocessor, a small part of it.
  size_t workspace_bytes() const override { return size_t(32) << 20; }

  void launch(const GroupedBuffers& b, Stream stream) override {
    check_flashinfer("FlashInfer segment GEMM", [&] {
      return flashinfer::group_gemm::CutlassSegmentGEMMSM90Run<flashinfer::cutlass_dtype_t<In>,
                                                               flashinfer::cutlass_dtype_t<Out>>(
          b.workspace, workspace_bytes(), nullptr, 0, b.sizes, b.groups, b.x, b.w, b.y, b.x_strides,
          b.w_strides, b.y_strides, /*weight_column_major=*/true, static_cast<cudaStream_t>(stream));
    });
  }
};

template <class In, class Out>
std::unique_ptr<GroupedMatmul> make_segment_gemm(const GroupedShape&, Device&) {
  return std::make_unique<SegmentGemm<In, Out>>();
}

}  // namespace perfatlas
