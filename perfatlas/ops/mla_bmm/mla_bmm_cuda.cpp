// SPDX-License-Identifier: Apache-2.0
// Products of all heads as one strided batch of cuBLASLt; activations stay [token, head, element].
#include <fmt/format.h>

#include "perfatlas/backends/cuda/cuda_matmul.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

namespace perfatlas {
namespace {

MatmulProblem problem_of(const MlaBmm& op) {
  const int64_t depth = op.depth(), columns = op.columns();
  return {.types = *matmul_types(traits_of(op.dtype).math),
          .rows = op.tokens,
          .cols = columns,
          .depth = depth,
          .batches = op.heads,
          .a = {.row = op.heads * depth, .batch = depth},
          .w = {.row = columns, .batch = depth * columns},
          .d = {.row = op.heads * columns, .batch = columns},
          .w_by_depth = true};
}

class BatchedMatmul final : public PreparedKernel {
 public:
  BatchedMatmul(const MlaBmm& op, CudaDevice& device) : matmul_(problem_of(op), device) {}
  size_t workspace_bytes() const override { return matmul_.workspace_bytes(); }
  std::string detail() const override { return matmul_.chosen(); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    matmul_.enqueue({operands[MlaBmm::x_at], operands[MlaBmm::w_at], operands[MlaBmm::y_at], workspace},
                    stream);
  }

 private:
  CudaMatmul matmul_;
};

std::string why_not(const MlaBmm& op, const CudaDevice& device) {
  if (op.dtype != Quant::f32 && op.dtype != Quant::bf16 && op.dtype != Quant::f16)
    return fmt::format(
        "no {} kernel in this build: cuBLASLt multiplies weights that lie by depth in float32, "
        "float16 and bfloat16 only",
        name_of(op.dtype));
  return why_no_matmul(problem_of(op), name_of(op.dtype), device);
}

}  // namespace

void add_mla_bmm_cuda_kernels(KernelRegistry& registry) {
  registry.add(
      Kernel<MlaBmm, CudaDevice>{"cublaslt_batched_matmul", "cuda", &why_not,
                                 [](const MlaBmm& op, CudaDevice& device) -> std::unique_ptr<PreparedKernel> {
                                   return std::make_unique<BatchedMatmul>(op, device);
                                 }});
}

}  // namespace perfatlas
