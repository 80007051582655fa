// SPDX-License-Identifier: Apache-2.0
// One matrix product, planned for cuBLASLt.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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

/// Nothing for types that cuBLASLt does not multiply (int4, ...). The result is the operand type, bf16 for fp8 and fp4
/// (which needs MatmulScales::vec16) and int32 for int8.
const MatmulTypes* matmul_types(DType math);

/// How the factors are scaled. All scales are 1 here, in arrays of the size and type that the library reads.
enum class MatmulScales {
  none,      // one factor per tensor, which is 1 when no pointer is given
  row_wise,  // f32 per row of A and per row of W
  blocks,    // f32 per 1x128 of A and per 128x128 of W (DeepSeek-V3)
  vec16,     // e4m3 per 16 elements of a row (nvfp4)
  vec32,     // an exponent of eight bits (e8m0) per 32 elements of a row (mxfp8)
};

/// What cuBLASLt asks for to scale in this way (cuBLAS 13 documentation, "Narrow precision data types usage"): rows and
/// blocks of 128 on compute capability 9.0 alone, the block formats from 10.0 on; blocks of 128 need rows of A and of W
/// (rows, cols) in multiples of 4.
struct MatmulScaleLimits {
  int oldest_sm = 0, newest_sm = 9999;
  int rows_multiple = 1;
};
MatmulScaleLimits limits_of(MatmulScales scales);

/// How one factor or the result lies in memory, in elements.
struct MatmulStrides {
  int64_t row = 0;    // from one row to the next; 0: rows are dense
  int64_t batch = 0;  // from one product of a batch to the next
};

/// D[rows, cols] = A[rows, depth] x W[cols, depth]^T, row-major, `batches` times. In the column-major words of cuBLAS
/// this is the TN product of W and A, the one layout that every type supports.
struct MatmulProblem {
  MatmulTypes types;
  int64_t rows = 0, cols = 0, depth = 0;
  int64_t batches = 1;
  MatmulStrides a, w, d;
  bool w_by_depth = false;  // W lies as [depth, cols]: not for types below 16 bits
  MatmulScales scales = MatmulScales::none;
  const void* a_scales = nullptr;  // device memory of scale_bytes(); not for MatmulScales::none
  const void* w_scales = nullptr;
};

/// Bytes of the scales of a factor with `rows` rows (of W: cols) and `depth` elements per row, padded as cuBLASLt wants
/// them (cuBLAS documentation, "Block scaling factors layout"): groups of 4 scales along the depth, for vec16 and vec32
/// also 128 rows.
size_t a_scale_bytes(const MatmulProblem& problem);
size_t w_scale_bytes(const MatmulProblem& problem);

/// 1 as e4m3 and as e8m0: every byte of the scales of vec16 and of vec32. The others are f32.
inline constexpr uint8_t kOneE4m3 = 0x38, kOneE8m0 = 0x7f;

/// Milliseconds of one launch of a plan, for tuning.
class MatmulPlan;
using MatmulTimer = std::function<double(const MatmulPlan&)>;

/// How many algorithms of the heuristic are tried; 1: its first is taken.
struct MatmulTuning {
  int candidates = 1;
  MatmulTimer timer = nullptr;  // REQUIRES: not null when candidates > 1
};

/// A product planned once, with the algorithm that cuBLASLt's heuristic puts first; unit alpha, beta 0. fp8
/// without block scales accumulates in the tensor cores' own narrower registers ("fast accumulation"), as serving
/// libraries do; without it Hopper is markedly slower.
class MatmulPlan {
 public:
  /// The heuristic is offered this much scratch memory: what NVIDIA recommends for Hopper, and enough for older parts.
  static constexpr size_t kMaxWorkspaceBytes = size_t(32) << 20;

  /// Throws Error when no algorithm supports the problem. Operands are later aligned to 256 bytes. `lt` outlives
  /// the plan. REQUIRES: lt.reason() is empty.
  MatmulPlan(const CublasLt& lt, const MatmulProblem& problem, const MatmulTuning& tuning = {});

  const MatmulProblem& problem() const { return problem_; }
  /// "algorithm 66, fastest of 8"; empty when the heuristic's first was taken.
  const std::string& chosen() const { return chosen_; }

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

  /// A column-major matrix: rows of it are the dense direction.
  struct Shape {
    cudaDataType_t type;
    int64_t rows, cols;
    MatmulStrides strides;
  };
  Handle<cublasLtMatrixLayoutOpaque_t> layout(const Shape& shape) const;
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
    lt_.check(lt_.api().desc_set(desc_.get(), attribute, &value, sizeof value),
              "cublasLtMatmulDescSetAttribute");
  }
  void set_scales();
  std::vector<cublasLtMatmulHeuristicResult_t> candidates(int wanted) const;
  void choose_algorithm(const MatmulTuning& tuning);

  const CublasLt& lt_;
  MatmulProblem problem_;
  Handle<cublasLtMatmulDescOpaque_t> desc_;
  Handle<cublasLtMatrixLayoutOpaque_t> w_, a_, d_;
  cublasLtMatmulHeuristicResult_t algorithm_{};
  std::string chosen_;
};

}  // namespace perfatlas
