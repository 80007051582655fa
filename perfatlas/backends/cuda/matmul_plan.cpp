// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/matmul_plan.h"

#include <fmt/format.h>

#include <array>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr MatmulTypes kTypes[] = {
    {DType::f32, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_32F, 50, 1, 1},
    {DType::tf32, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, 80, 1, 1},
    {DType::f16, CUDA_R_16F, CUDA_R_16F, CUBLAS_COMPUTE_32F, CUDA_R_32F, 70, 1, 1},
    {DType::bf16, CUDA_R_16BF, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F, 80, 1, 1},
    {DType::fp8_e4m3, CUDA_R_8F_E4M3, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F, 89, 16, 8},
    {DType::int8, CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I, CUDA_R_32I, 75, 4, 4},
};

}  // namespace

const MatmulTypes* matmul_types(DType math) {
  for (const MatmulTypes& types : kTypes)
    if (types.math == math) return &types;
  return nullptr;
}

MatmulPlan::MatmulPlan(const CublasLt& lt, const MatmulProblem& problem)
    : lt_(lt),
      problem_(problem),
      desc_(nullptr, lt.api().desc_destroy),
      w_(layout(problem.types.in, problem.depth, problem.cols)),
      a_(layout(problem.types.in, problem.depth, problem.rows)),
      d_(layout(problem.types.out, problem.cols, problem.rows)) {
  const CublasLtApi& api = lt_.api();
  cublasLtMatmulDesc_t desc = nullptr;
  lt_.check(api.desc_create(&desc, problem.types.compute, problem.types.scale), "cublasLtMatmulDescCreate");
  desc_.reset(desc);
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    lt_.check(api.desc_set(desc, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  if (problem.types.math == DType::fp8_e4m3) set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t(1));
  choose_algorithm();
}

MatmulPlan::Handle<cublasLtMatrixLayoutOpaque_t> MatmulPlan::layout(cudaDataType_t type, int64_t rows,
                                                                    int64_t cols) const {
  cublasLtMatrixLayout_t layout = nullptr;
  lt_.check(lt_.api().layout_create(&layout, type, uint64_t(rows), uint64_t(cols), rows),
            "cublasLtMatrixLayoutCreate");
  return {layout, lt_.api().layout_destroy};
}

void MatmulPlan::choose_algorithm() {
  const CublasLtApi& api = lt_.api();
  cublasLtMatmulPreference_t raw = nullptr;
  lt_.check(api.preference_create(&raw), "cublasLtMatmulPreferenceCreate");
  const Handle<cublasLtMatmulPreferenceOpaque_t> preference(raw, api.preference_destroy);
  const uint64_t workspace = kMaxWorkspaceBytes;
  lt_.check(api.preference_set(raw, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace),
            "cublasLtMatmulPreferenceSetAttribute");
  std::array<cublasLtMatmulHeuristicResult_t, 4> found{};
  int count = 0;
  const cublasStatus_t status = api.heuristic(lt_.handle(), desc_.get(), w_.get(), a_.get(), d_.get(),
                                              d_.get(), raw, int(found.size()), found.data(), &count);
  for (int i = 0; i < count && status == CUBLAS_STATUS_SUCCESS; ++i)
    if (found[size_t(i)].state == CUBLAS_STATUS_SUCCESS) {
      algorithm_ = found[size_t(i)];
      return;
    }
  throw Error(
      fmt::format("cuBLASLt {} has no algorithm for {} {} x {} x {} (rows, cols, depth): {}", lt_.version(),
                  name_of(problem_.types.math), problem_.rows, problem_.cols, problem_.depth,
                  api.status_string(status == CUBLAS_STATUS_SUCCESS ? CUBLAS_STATUS_NOT_SUPPORTED : status)));
}

void MatmulPlan::enqueue(const Buffers& buffers, Stream stream) const {
  // alpha and beta have the scale type: float, or 32-bit integers for integer products.
  const float real[2] = {1, 0};
  const int32_t whole[2] = {1, 0};
  const bool integer = problem_.types.scale == CUDA_R_32I;
  const void* alpha = integer ? static_cast<const void*>(&whole[0]) : &real[0];
  const void* beta = integer ? static_cast<const void*>(&whole[1]) : &real[1];
  lt_.check(lt_.api().matmul(lt_.handle(), desc_.get(), alpha, buffers.w, w_.get(), buffers.a, a_.get(), beta,
                             buffers.d, d_.get(), buffers.d, d_.get(), &algorithm_.algo, buffers.workspace,
                             algorithm_.workspaceSize, static_cast<cudaStream_t>(stream)),
            "cublasLtMatmul");
}

}  // namespace perfatlas
