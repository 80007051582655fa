// SPDX-License-Identifier: Apache-2.0
// One matrix product, planned for cuBLASLt.
#pragma once

#include <cstdint>
#include <memory>

#include "perfatlas/backends/cuda/cublaslt.h"
#include "perfatlas/backends/device.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// How cuBLASLt multiplies one element type.
struct MatmulTypes {
  DType math;  // tf32: operands stored as f32
  cudaDataType_t in, out;
  cublasComputeType_t compute;
  cudaDataType_t scale;
  int min_sm;          // compute capability with tensor-core (f32: any) instructions for it
  int depth_multiple;  // rows of A and W hold a multiple of this many elements ...
  int cols_multiple;   // ... and rows of D of this many (cuBLAS documentation of cublasLtMatmul)
};

/// Nothing for types that cuBLASLt does not multiply (int4, ...) or that need scales beside the operands (fp4).
/// The result is the operand type, bf16 for fp8 and int32 for int8.
const MatmulTypes* matmul_types(DType math);

/// D[rows, cols] = A[rows, depth] x W[cols, depth]^T, everything dense and row-major. In the column-major words of
/// cuBLAS this is the TN product of W and A, the one layout that every type supports.
struct MatmulProblem {
  MatmulTypes types;
  int64_t rows = 0, cols = 0, depth = 0;
};

/// A product planned once, with the algorithm that cuBLASLt's heuristic puts first; unit alpha and scales, beta 0. fp8
/// accumulates in the tensor cores' own narrower registers ("fast accumulation"), as serving libraries do; without it
/// Hopper is markedly slower.
class MatmulPlan {
 public:
  /// The heuristic is offered this much scratch memory: what NVIDIA recommends for Hopper, and enough for older parts.
  static constexpr size_t kMaxWorkspaceBytes = size_t(32) << 20;

  /// Throws Error when no algorithm supports the problem. Operands are later aligned to 256 bytes. `lt` outlives
  /// the plan. REQUIRES: lt.reason() is empty.
  MatmulPlan(const CublasLt& lt, const MatmulProblem& problem);

  size_t workspace_bytes() const { return algorithm_.workspaceSize; }
  struct Buffers {
    const void* a = nullptr;
    const void* w = nullptr;
    void* d = nullptr;
    void* workspace = nullptr;
  };
  void enqueue(const Buffers& buffers, Stream stream) const;

 private:
  template <class T>
  using Handle = std::unique_ptr<T, cublasStatus_t (*)(T*)>;

  Handle<cublasLtMatrixLayoutOpaque_t> layout(cudaDataType_t type, int64_t rows, int64_t cols) const;
  void choose_algorithm();

  const CublasLt& lt_;
  MatmulProblem problem_;
  Handle<cublasLtMatmulDescOpaque_t> desc_;
  Handle<cublasLtMatrixLayoutOpaque_t> w_, a_, d_;
  cublasLtMatmulHeuristicResult_t algorithm_{};
};

}  // namespace perfatlas
