// SPDX-License-Identifier: Apache-2.0
// Grouped products of cuBLAS. The library takes the sizes of the groups from the host.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/grouped_matmul.h"

namespace perfatlas {

/// Why cuBLAS cannot multiply groups of this type on the device, or empty. float32, float16 and bfloat16 only.
std::string why_no_cublas_groups(DType type, const CudaDevice& device);

class CublasGroupedMatmul final : public GroupedMatmul {
 public:
  /// `device` outlives it. REQUIRES: why_no_cublas_groups() is empty.
  CublasGroupedMatmul(const GroupedShape& shape, DType type, CudaDevice& device);

  /// What NVIDIA recommends for Hopper.
  size_t workspace_bytes() const override { return size_t(32) << 20; }
  bool skips_empty_groups() const override { return true; }
  void see_rows(std::span<const int64_t> rows) override;
  /// The device reads the pointers alone; nothing is enqueued when all groups are empty. Throws Error, also when
  /// see_rows() was not called.
  void launch(const GroupedBuffers& buffers, Stream stream) override;

 private:
  GroupedShape shape_;
  cudaDataType_t type_;
  Cublas& cublas_;
  bool seen_ = false;
  // Per group that has rows, for as long as a graph of the launch may be replayed.
  std::vector<int> cols_, rows_, depths_, ones_;
  std::vector<float> alpha_, beta_;
  std::vector<cublasOperation_t> transposed_, plain_;
};

}  // namespace perfatlas
