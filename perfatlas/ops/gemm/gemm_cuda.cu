// SPDX-License-Identifier: Apache-2.0
// gemm on NVIDIA GPUs: cuBLASLt with the algorithm its heuristic puts first.
#include <fmt/format.h>

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/matmul_plan.h"
#include "perfatlas/backends/kernel.h"
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
    case Quant::int8:
      return matmul_types(traits_of(quant).math);
    default:
      return nullptr;
  }
}

std::string capability(int sm) { return fmt::format("{}.{}", sm / 10, sm % 10); }

std::string why_not(const Gemm& gemm, const CudaDevice& device) {
  const std::string_view name = name_of(gemm.dtype);
  const MatmulTypes* types = types_of(gemm.dtype);
  if (types == nullptr) return fmt::format("no {} kernel in this build", name);
  if (device.sm_version() < types->min_sm)
    return fmt::format("{} needs compute capability {}, {} has {}", name, capability(types->min_sm),
                       device.info().name, capability(device.sm_version()));
  if (gemm.k % types->depth_multiple != 0 || gemm.n % types->cols_multiple != 0)
    return fmt::format("cuBLASLt needs k a multiple of {} and n of {} for {}", types->depth_multiple,
                       types->cols_multiple, name);
  return device.cublaslt().reason();
}

MatmulProblem problem_of(const Gemm& gemm) { return {*types_of(gemm.dtype), gemm.m, gemm.n, gemm.k}; }

class Matmul final : public PreparedKernel {
 public:
  Matmul(const Gemm& gemm, CudaDevice& device) : plan_(device.cublaslt(), problem_of(gemm)) {}

  size_t workspace_bytes() const override { return plan_.workspace_bytes(); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    plan_.enqueue({operands[0], operands[1], operands[2], workspace}, stream);
  }

 private:
  MatmulPlan plan_;
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
      : plan_(device.cublaslt(), problem_of(gemm)),
        runtime_(device.runtime()),
        rows_(gemm.m),
        columns_(gemm.n) {}

  size_t workspace_bytes() const override {
    return results_offset() + size_t(rows_ * columns_) * sizeof(int32_t);
  }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    auto* results = reinterpret_cast<int32_t*>(static_cast<char*>(workspace) + results_offset());
    plan_.enqueue({operands[0], operands[1], results, workspace}, stream);
    runtime_.run(
        block_work(ScaleRows{rows_, columns_, results, static_cast<CudaBf16*>(operands[2]),
                             static_cast<const float*>(operands[3]), static_cast<const float*>(operands[4])}),
        stream);
  }

 private:
  size_t results_offset() const { return (plan_.workspace_bytes() + 255) / 256 * 256; }

  MatmulPlan plan_;
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
        return std::make_unique<Matmul>(gemm, device);
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
