// SPDX-License-Identifier: Apache-2.0
// For tests: a cuBLAS that multiplies groups in host memory, column-major as the real one. The pointers of a group are
// read when the work runs, its sizes when it is enqueued.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>
#include <vector>

#include "perfatlas/backends/cuda/fake_stream.h"

struct cublasContext {
  cudaStream_t stream;
  void* workspace;
  size_t workspace_bytes;
};

namespace {

float load(cudaDataType_t type, const void* data, size_t i) {
  switch (type) {
    case CUDA_R_16BF:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
    case CUDA_R_16F:
      return __half2float(static_cast<const __half*>(data)[i]);
    default:
      return static_cast<const float*>(data)[i];
  }
}

void store(cudaDataType_t type, void* data, size_t i, float value) {
  switch (type) {
    case CUDA_R_16BF:
      static_cast<__nv_bfloat16*>(data)[i] = __float2bfloat16(value);
      break;
    case CUDA_R_16F:
      static_cast<__half*>(data)[i] = __float2half(value);
      break;
    default:
      static_cast<float*>(data)[i] = value;
  }
}

struct Group {
  int m, n, k, lda, ldb, ldc;
};

/// C[m, n] = A[k, m]^T x B[k, n].
void multiply(cudaDataType_t type, const Group& g, const void* a, const void* b, void* c) {
  for (int col = 0; col < g.n; ++col)
    for (int row = 0; row < g.m; ++row) {
      double sum = 0;
      for (int i = 0; i < g.k; ++i)
        sum += double(load(type, a, size_t(row) * size_t(g.lda) + size_t(i))) *
               double(load(type, b, size_t(col) * size_t(g.ldb) + size_t(i)));
      store(type, c, size_t(col) * size_t(g.ldc) + size_t(row), float(sum));
    }
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = new cublasContext{};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  *value = type == MAJOR_VERSION ? 13 : type == MINOR_VERSION ? 1 : 2;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_INVALID_VALUE ? "invalid value" : "an error";
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  *handle = {stream, nullptr, 0};  // the real one forgets the workspace, too
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  handle->workspace = workspace, handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmGroupedBatchedEx(cublasHandle_t handle, const cublasOperation_t ops_a[],
                                          const cublasOperation_t ops_b[], const int m[], const int n[],
                                          const int k[], const void* alpha, const void* const a[],
                                          cudaDataType_t a_type, const int lda[], const void* const b[],
                                          cudaDataType_t b_type, const int ldb[], const void* beta,
                                          void* const c[], cudaDataType_t c_type, const int ldc[], int groups,
                                          const int group_size[], cublasComputeType_t compute) {
  if (a_type != b_type || a_type != c_type || compute != CUBLAS_COMPUTE_32F || handle->workspace == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  std::vector<Group> all;
  for (int i = 0; i < groups; ++i) {
    const bool unit = static_cast<const float*>(alpha)[i] == 1 && static_cast<const float*>(beta)[i] == 0;
    if (!unit || ops_a[i] != CUBLAS_OP_T || ops_b[i] != CUBLAS_OP_N || group_size[i] != 1 || n[i] < 1)
      return CUBLAS_STATUS_INVALID_VALUE;
    all.push_back({m[i], n[i], k[i], lda[i], ldb[i], ldc[i]});
  }
  auto* const queue = static_cast<perfatlas::FakeStream*>(static_cast<void*>(handle->stream));
  queue->take([=, workspace = handle->workspace, bytes = handle->workspace_bytes] {
    std::memset(workspace, 0xff, bytes);  // it is scratch: nobody's data may lie there
    for (size_t i = 0; i < all.size(); ++i) multiply(a_type, all[i], a[i], b[i], c[i]);
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
