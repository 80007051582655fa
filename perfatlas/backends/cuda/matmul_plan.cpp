// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/matmul_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr MatmulTypes kTypes[] = {
    {DType::f32, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_32F, 50, 1, 1},
    {DType::tf32, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, 80, 1, 1},
    {DType::f16, CUDA_R_16F, CUDA_R_16F, CUBLAS_COMPUTE_32F, CUDA_R_32F, 70, 1, 1},
    {DType::bf16, CUDA_R_16BF, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F, 80, 1, 1},
    {DType::fp8_e4m3, CUDA_R_8F_E4M3, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F, 89, 16, 8},
    {DType::fp4, CUDA_R_4F_E2M1, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F, 100, 32, 32},
    {DType::int8, CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I, CUDA_R_32I, 75, 4, 4},
};

}  // namespace

const MatmulTypes* matmul_types(DType math) {
  for (const MatmulTypes& types : kTypes)
    if (types.math == math) return &types;
  return nullptr;
}

MatmulScaleLimits limits_of(MatmulScales scales) {
  switch (scales) {
    case MatmulScales::none:
      return {};
    case MatmulScales::row_wise:
      return {.oldest_sm = 90, .newest_sm = 90};
    case MatmulScales::blocks:
      return {.oldest_sm = 90, .newest_sm = 90, .rows_multiple = 4};
    case MatmulScales::vec16:
    case MatmulScales::vec32:
      return {.oldest_sm = 100};
  }
  return {};
}

namespace {

int64_t padded(int64_t count, int64_t to) { return (count + to - 1) / to * to; }

/// f32 scales of one factor, one for `rows_each` rows and `depth_each` elements.
size_t float_scales(int64_t rows, int64_t depth, int64_t rows_each, int64_t depth_each) {
  const int64_t along = padded((depth + depth_each - 1) / depth_each, 4);
  return size_t(along * padded((rows + rows_each - 1) / rows_each, 4)) * sizeof(float);
}

size_t scale_bytes(const MatmulProblem& problem, int64_t rows, int64_t rows_per_block) {
  switch (problem.scales) {
    case MatmulScales::none:
      return 0;
    case MatmulScales::row_wise:
      return size_t(rows) * sizeof(float);
    case MatmulScales::blocks:
      return float_scales(rows, problem.depth, rows_per_block, 128);
    case MatmulScales::vec16:
    case MatmulScales::vec32: {
      const int64_t block = problem.scales == MatmulScales::vec16 ? 16 : 32;
      return size_t(padded(rows, 128) * padded((problem.depth + block - 1) / block, 4));
    }
  }
  return 0;
}

}  // namespace

size_t a_scale_bytes(const MatmulProblem& problem) { return scale_bytes(problem, problem.rows, 1); }
size_t w_scale_bytes(const MatmulProblem& problem) { return scale_bytes(problem, problem.cols, 128); }

MatmulPlan::MatmulPlan(const CublasLt& lt, const MatmulProblem& problem, const MatmulTuning& tuning)
    : lt_(lt),
      problem_(problem),
      desc_(nullptr, lt.api().desc_destroy),
      w_(problem.w_by_depth ? layout({problem.types.in, problem.cols, problem.depth, problem.w})
                            : layout({problem.types.in, problem.depth, problem.cols, problem.w})),
      a_(layout({problem.types.in, problem.depth, problem.rows, problem.a})),
      d_(layout({problem.types.out, problem.cols, problem.rows, problem.d})) {
  const CublasLtApi& api = lt_.api();
  cublasLtMatmulDesc_t desc = nullptr;
  lt_.check(api.desc_create(&desc, problem.types.compute, problem.types.scale), "cublasLtMatmulDescCreate");
  desc_.reset(desc);
  set(CUBLASLT_MATMUL_DESC_TRANSA, problem.w_by_depth ? CUBLAS_OP_N : CUBLAS_OP_T);
  set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  const bool in_blocks = problem.scales == MatmulScales::blocks || problem.scales == MatmulScales::vec32;
  if (problem.types.math == DType::fp8_e4m3 && !in_blocks) set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t(1));
  if (problem.scales != MatmulScales::none) set_scales();
  choose_algorithm(tuning);
}

void MatmulPlan::set_scales() {
  int32_t w_mode = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F, a_mode = w_mode;
  if (problem_.scales == MatmulScales::blocks) {
    w_mode = CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F;
    a_mode = CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F;
  } else if (problem_.scales == MatmulScales::vec16) {
    w_mode = a_mode = CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3;
  } else if (problem_.scales == MatmulScales::vec32) {
    w_mode = a_mode = CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0;
  }
  set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, w_mode);
  set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, a_mode);
  set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, problem_.w_scales);
  set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, problem_.a_scales);
}

MatmulPlan::Handle<cublasLtMatrixLayoutOpaque_t> MatmulPlan::layout(const Shape& shape) const {
  cublasLtMatrixLayout_t raw = nullptr;
  const int64_t lead = shape.strides.row > 0 ? shape.strides.row : shape.rows;
  lt_.check(lt_.api().layout_create(&raw, shape.type, uint64_t(shape.rows), uint64_t(shape.cols), lead),
            "cublasLtMatrixLayoutCreate");
  Handle<cublasLtMatrixLayoutOpaque_t> made(raw, lt_.api().layout_destroy);
  if (problem_.batches > 1) {
    const auto batches = int32_t(problem_.batches);
    for (const cublasStatus_t status :
         {lt_.api().layout_set(raw, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batches, sizeof batches),
          lt_.api().layout_set(raw, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &shape.strides.batch,
                               sizeof shape.strides.batch)})
      lt_.check(status, "cublasLtMatrixLayoutSetAttribute");
  }
  return made;
}

std::vector<cublasLtMatmulHeuristicResult_t> MatmulPlan::candidates(int wanted) const {
  const CublasLtApi& api = lt_.api();
  cublasLtMatmulPreference_t raw = nullptr;
  lt_.check(api.preference_create(&raw), "cublasLtMatmulPreferenceCreate");
  const Handle<cublasLtMatmulPreferenceOpaque_t> preference(raw, api.preference_destroy);
  const uint64_t workspace = kMaxWorkspaceBytes;
  lt_.check(api.preference_set(raw, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace),
            "cublasLtMatmulPreferenceSetAttribute");
  std::vector<cublasLtMatmulHeuristicResult_t> found(size_t(wanted), cublasLtMatmulHeuristicResult_t{});
  int count = 0;
  const cublasStatus_t status = api.heuristic(lt_.handle(), desc_.get(), w_.get(), a_.get(), d_.get(),
                                              d_.get(), raw, wanted, found.data(), &count);
  found.resize(status == CUBLAS_STATUS_SUCCESS ? size_t(count) : 0);
  std::erase_if(found, [](const auto& result) { return result.state != CUBLAS_STATUS_SUCCESS; });
  if (!found.empty()) return found;
  throw Error(
      fmt::format("cuBLASLt {} has no algorithm for {} {} x {} x {} (rows, cols, depth): {}", lt_.version(),
                  name_of(problem_.types.math), problem_.rows, problem_.cols, problem_.depth,
                  api.status_string(status == CUBLAS_STATUS_SUCCESS ? CUBLAS_STATUS_NOT_SUPPORTED : status)));
}

void MatmulPlan::choose_algorithm(const MatmulTuning& tuning) {
  // The first entries need not be usable; a handful always holds one that is.
  constexpr int kFewest = 4;
  const auto found = candidates(std::max(kFewest, tuning.candidates));
  algorithm_ = found.front();
  if (tuning.candidates <= 1) return;
  double best_ms = std::numeric_limits<double>::infinity();
  const auto tried = std::min(found.size(), size_t(tuning.candidates));
  cublasLtMatmulHeuristicResult_t best = found.front();
  for (size_t i = 0; i < tried; ++i) {
    algorithm_ = found[i];
    const double ms = tuning.timer(*this);
    if (ms < best_ms) best_ms = ms, best = found[i];
  }
  algorithm_ = best;
  int32_t id = -1;
  size_t written = 0;
  lt_.check(lt_.api().algorithm_get(&algorithm_.algo, CUBLASLT_ALGO_CONFIG_ID, &id, sizeof id, &written),
            "cublasLtMatmulAlgoConfigGetAttribute");
  chosen_ = fmt::format("algorithm {}, fastest of {}", id, tried);
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
