// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cublas_grouped.h"

#include <fmt/format.h>

#include "perfatlas/backends/cuda/matmul_plan.h"

namespace perfatlas {

std::string why_no_cublas_groups(DType type, const CudaDevice& device) {
  if (type != DType::f32 && type != DType::f16 && type != DType::bf16)
    return fmt::format("cuBLAS multiplies groups of float32, float16 and bfloat16 only, not of {}",
                       name_of(type));
  if (const int needed = matmul_types(type)->min_sm; device.sm_version() < needed)
    return fmt::format("{} needs compute capability {}.{}, {} has {}.{}", name_of(type), needed / 10,
                       needed % 10, device.info().name, device.sm_version() / 10, device.sm_version() % 10);
  return device.cublas().reason();
}

CublasGroupedMatmul::CublasGroupedMatmul(const GroupedShape& shape, DType type, CudaDevice& device)
    : shape_(shape), type_(matmul_types(type)->in), cublas_(device.cublas()) {
  cublas_.handle();  // made now, not within a launch
}

void CublasGroupedMatmul::see_rows(std::span<const int64_t> rows) {
  rows_.clear();
  for (const int64_t count : rows)
    if (count > 0) rows_.push_back(int(count));
  const size_t groups = rows_.size();
  cols_.assign(groups, int(shape_.cols));
  depths_.assign(groups, int(shape_.depth));
  ones_.assign(groups, 1);
  alpha_.assign(groups, 1.0F);
  beta_.assign(groups, 0.0F);
  transposed_.assign(groups, CUBLAS_OP_T);
  plain_.assign(groups, CUBLAS_OP_N);
  seen_ = true;
}

void CublasGroupedMatmul::launch(const GroupedBuffers& b, Stream stream) {
  if (!seen_) throw Error("cuBLAS takes the rows of every group from the host, which nobody has told it");
  if (rows_.empty()) return;
  const CublasApi& api = cublas_.api();
  const cublasHandle_t handle = cublas_.handle();
  cublas_.check(api.set_stream(handle, static_cast<cudaStream_t>(stream)), "cublasSetStream");
  cublas_.check(api.set_workspace(handle, b.workspace, workspace_bytes()), "cublasSetWorkspace");
  // Column-major, y^T[cols, rows] = w[depth, cols]^T x x^T[depth, rows].
  cublas_.check(
      api.grouped(handle, transposed_.data(), plain_.data(), cols_.data(), rows_.data(), depths_.data(),
                  alpha_.data(), b.w, type_, depths_.data(), b.x, type_, depths_.data(), beta_.data(), b.y,
                  type_, cols_.data(), int(rows_.size()), ones_.data(), CUBLAS_COMPUTE_32F),
      "cublasGemmGroupedBatchedEx");
}

}  // namespace perfatlas
