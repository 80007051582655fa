// SPDX-License-Identifier: Apache-2.0
// gemm on NVIDIA GPUs: cuBLASLt with the algorithm its heuristic puts first, or with the fastest of the first few when
// the worker was started with --tune.
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/cuda_matmul.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

/// The element type that cuBLASLt multiplies for a quantisation mode, or nothing where this build has no kernel.
/// fp8 and fp8_static differ in who computes the activation scale, which is no part of the product.
const MatmulTypes* types_of(Quant quant) {
  switch (quant) {
    case Quant::f32:
    case Quant::tf32:
    case Quant::f16:
    case Quant::bf16:
    case Quant::fp8:
    case Quant::fp8_static:
    case Quant::fp8_block:
    case Quant::fp8_rowwise:
    case Quant::mxfp8:
    case Quant::nvfp4:
    case Quant::int8:
      return matmul_types(traits_of(quant).math);
    default:
      return nullptr;
  }
}

MatmulScales scales_of(Quant quant) {
  switch (quant) {
    case Quant::fp8_block:
      return MatmulScales::blocks;
    case Quant::fp8_rowwise:
      return MatmulScales::row_wise;
    case Quant::mxfp8:
      return MatmulScales::vec32;
    case Quant::nvfp4:
      return MatmulScales::vec16;
    default:
      return MatmulScales::none;
  }
}

MatmulProblem problem_of(const Gemm& gemm) {
  return {.types = *types_of(gemm.dtype),
          .rows = gemm.m,
          .cols = gemm.n,
          .depth = gemm.k,
          .scales = scales_of(gemm.dtype)};
}

std::string why_not(const Gemm& gemm, const CudaDevice& device) {
  if (types_of(gemm.dtype) == nullptr) return fmt::format("no {} kernel in this build", name_of(gemm.dtype));
  if (gemm.dtype == Quant::mxfp8 && gemm.k % kMxfp8Block != 0)
    return fmt::format("mxfp8 needs k a multiple of {}, the elements that share an exponent", kMxfp8Block);
  return why_no_matmul(problem_of(gemm), name_of(gemm.dtype), device);
}

class Matmul final : public PreparedKernel {
 public:
  Matmul(const MatmulProblem& problem, CudaDevice& device) : matmul_(problem, device) {}

  size_t workspace_bytes() const override { return matmul_.workspace_bytes(); }
  std::string detail() const override { return matmul_.chosen(); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    matmul_.enqueue({operands[0], operands[1], operands[2], workspace}, stream);
  }

 private:
  CudaMatmul matmul_;
};

/// d = integer product * scales, rounded to nearest even: a block per row.
struct ScaleRows {
  int64_t rows = 0, columns = 0;
  const int32_t* from = nullptr;
  CudaBf16* to = nullptr;
  const float* common_scale = nullptr;
  const float* column_scales = nullptr;

  int64_t blocks() const { return rows; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int32_t* row = from + block.index() * columns;
    CudaBf16* out = to + block.index() * columns;
    const float common = *common_scale;
    const float* scales = column_scales;
    block.each(columns,
               [=](int64_t i) { out[i] = from_float<CudaBf16>(float(row[i]) * common * scales[i]); });
  }
};

/// cuBLASLt writes an integer product as int32 or int8 only; a second kernel turns int32 into the declared bf16 with
/// the scales.
class IntegerMatmul final : public PreparedKernel {
 public:
  IntegerMatmul(const Gemm& gemm, CudaDevice& device)
      : matmul_(problem_of(gemm), device), runtime_(device.runtime()), rows_(gemm.m), columns_(gemm.n) {}

  size_t workspace_bytes() const override {
    return results_offset() + size_t(rows_ * columns_) * sizeof(int32_t);
  }
  std::string detail() const override { return matmul_.chosen(); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    auto* results = reinterpret_cast<int32_t*>(static_cast<char*>(workspace) + results_offset());
    matmul_.enqueue({operands[0], operands[1], results, workspace}, stream);
    runtime_.run(
        block_work(ScaleRows{rows_, columns_, results, static_cast<CudaBf16*>(operands[2]),
                             static_cast<const float*>(operands[3]), static_cast<const float*>(operands[4])}),
        stream);
  }

 private:
  size_t results_offset() const { return (matmul_.workspace_bytes() + 255) / 256 * 256; }

  CudaMatmul matmul_;
  CudaRuntime& runtime_;
  int64_t rows_, columns_;
};

}  // namespace

void add_gemm_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Gemm, CudaDevice>{
      .name = "cublaslt_matmul",
      .backend = "cuda",
      .why_unsupported = [](const Gemm& gemm, const CudaDevice& device) -> std::string {
        if (gemm.dtype == Quant::int8) return "cuBLASLt has no int8 product with a bf16 result";
        return why_not(gemm, device);
      },
      .prepare = [](const Gemm& gemm, CudaDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<Matmul>(problem_of(gemm), device);
      }});
  registry.add(Kernel<Gemm, CudaDevice>{
      .name = "cublaslt_matmul_int32_to_bf16",
      .backend = "cuda",
      .why_unsupported = [](const Gemm& gemm, const CudaDevice& device) -> std::string {
        if (gemm.dtype != Quant::int8) return "only for int8";
        return why_not(gemm, device);
      },
      .prepare = [](const Gemm& gemm, CudaDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<IntegerMatmul>(gemm, device);
      }});
}

}  // namespace perfatlas
