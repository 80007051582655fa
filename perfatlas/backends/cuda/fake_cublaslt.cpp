// SPDX-License-Identifier: Apache-2.0
// For tests: a cuBLASLt that multiplies host memory, column-major as the real one, and knows its documented limits.
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstdlib>
#include <cstring>

namespace {

struct Desc {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  cublasOperation_t op_a = CUBLAS_OP_N, op_b = CUBLAS_OP_N;
  int8_t fast = 0;
};

struct Layout {
  cudaDataType_t type;
  uint64_t rows, cols;
  int64_t ld;
};

constexpr size_t kWorkspace = 1000;  // no multiple of an alignment, on purpose

const Desc& desc_of(cublasLtMatmulDesc_t desc) { return *reinterpret_cast<const Desc*>(desc); }
const Layout& layout_of(cublasLtMatrixLayout_t layout) { return *reinterpret_cast<const Layout*>(layout); }

double element(const Layout& layout, const void* data, uint64_t row, uint64_t col) {
  const uint64_t i = row + col * uint64_t(layout.ld);
  switch (layout.type) {
    case CUDA_R_32F:
      return double(static_cast<const float*>(data)[i]);
    case CUDA_R_16F:
      return double(__half2float(static_cast<const __half*>(data)[i]));
    case CUDA_R_16BF:
      return double(__bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]));
    case CUDA_R_8F_E4M3:
      return double(float(static_cast<const __nv_fp8_e4m3*>(data)[i]));
    case CUDA_R_8I:
      return double(static_cast<const int8_t*>(data)[i]);
    default:
      std::abort();
  }
}

void store(const Layout& layout, void* data, uint64_t i, double value) {
  switch (layout.type) {
    case CUDA_R_32F:
      static_cast<float*>(data)[i] = float(value);
      break;
    case CUDA_R_16F:
      static_cast<__half*>(data)[i] = __float2half(float(value));
      break;
    case CUDA_R_16BF:
      static_cast<__nv_bfloat16*>(data)[i] = __float2bfloat16(float(value));
      break;
    case CUDA_R_32I:
      static_cast<int32_t*>(data)[i] = int32_t(value);
      break;
    default:
      std::abort();
  }
}

/// The table of supported types and the alignment rules of the documentation of cublasLtMatmul.
bool supported(const Desc& desc, const Layout& a, const Layout& b, const Layout& d) {
  if (a.type != b.type) return false;
  const bool tn = desc.op_a == CUBLAS_OP_T && desc.op_b == CUBLAS_OP_N;
  switch (a.type) {
    case CUDA_R_8F_E4M3:
      return tn && desc.compute == CUBLAS_COMPUTE_32F && desc.scale == CUDA_R_32F && d.type == CUDA_R_16BF &&
             a.rows % 16 == 0 && d.rows % 8 == 0;
    case CUDA_R_8I:
      return tn && desc.compute == CUBLAS_COMPUTE_32I && desc.scale == CUDA_R_32I && d.type == CUDA_R_32I &&
             a.rows % 4 == 0 && d.rows % 4 == 0 && desc.fast == 0;
    case CUDA_R_32F:
      return (desc.compute == CUBLAS_COMPUTE_32F || desc.compute == CUBLAS_COMPUTE_32F_FAST_TF32) &&
             desc.scale == CUDA_R_32F && d.type == a.type && desc.fast == 0;
    default:
      return desc.compute == CUBLAS_COMPUTE_32F && desc.scale == CUDA_R_32F && d.type == a.type &&
             desc.fast == 0;
  }
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  static int there;
  *handle = reinterpret_cast<cublasLtHandle_t>(&there);
  return std::getenv("FAKE_CUBLASLT_NO_HANDLE") != nullptr ? CUBLAS_STATUS_NOT_INITIALIZED
                                                           : CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
size_t cublasLtGetVersion() { return 130102; }
const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported" : "an error";
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  *desc = reinterpret_cast<cublasLtMatmulDesc_t>(new Desc{compute, scale});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
  delete reinterpret_cast<Desc*>(desc);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t handle,
                                              cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              size_t bytes) {
  auto* desc = reinterpret_cast<Desc*>(handle);
  void* field = attribute == CUBLASLT_MATMUL_DESC_TRANSA   ? static_cast<void*>(&desc->op_a)
                : attribute == CUBLASLT_MATMUL_DESC_TRANSB ? static_cast<void*>(&desc->op_b)
                                                           : static_cast<void*>(&desc->fast);
  if (bytes != (field == &desc->fast ? sizeof desc->fast : sizeof desc->op_a))
    return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(field, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t cols, int64_t ld) {
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, cols, ld});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete reinterpret_cast<Layout*>(layout);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = reinterpret_cast<cublasLtMatmulPreference_t>(new uint64_t(0));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete reinterpret_cast<uint64_t*>(preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t, const void* value,
                                                    size_t bytes) {
  if (bytes != sizeof(uint64_t)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(preference, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  *count = 0;
  const bool enough_workspace = *reinterpret_cast<uint64_t*>(preference) >= kWorkspace;
  if (!enough_workspace || !supported(desc_of(desc), layout_of(a), layout_of(b), layout_of(d)))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  *count = wanted < 2 ? wanted : 2;
  results[0].state = CUBLAS_STATUS_NOT_SUPPORTED;  // the first entry need not be usable
  results[*count - 1].state = CUBLAS_STATUS_SUCCESS;
  results[*count - 1].workspaceSize = kWorkspace;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc_handle, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t workspace_bytes,
                              cudaStream_t) {
  const Desc& desc = desc_of(desc_handle);
  const Layout &la = layout_of(a_layout), &lb = layout_of(b_layout), &ld = layout_of(d_layout);
  const bool integer = desc.scale == CUDA_R_32I;
  const double one =
      integer ? *static_cast<const int32_t*>(alpha) : double(*static_cast<const float*>(alpha));
  const double zero = integer ? *static_cast<const int32_t*>(beta) : double(*static_cast<const float*>(beta));
  if (one != 1 || zero != 0 || c != d || algorithm == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  if (workspace_bytes != kWorkspace) return CUBLAS_STATUS_INVALID_VALUE;
  std::memset(workspace, 0xff, workspace_bytes);  // it is scratch: nobody's data may lie there
  const bool ta = desc.op_a == CUBLAS_OP_T, tb = desc.op_b == CUBLAS_OP_T;
  const uint64_t depth = ta ? la.rows : la.cols;
  for (uint64_t row = 0; row < ld.rows; ++row)
    for (uint64_t col = 0; col < ld.cols; ++col) {
      double sum = 0;
      for (uint64_t i = 0; i < depth; ++i)
        sum += element(la, a, ta ? i : row, ta ? row : i) * element(lb, b, tb ? col : i, tb ? i : col);
      store(ld, d, row + col * uint64_t(ld.ld), sum);
    }
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
