// SPDX-License-Identifier: Apache-2.0
// For tests: a cuBLASLt that multiplies host memory, column-major as the real one, and knows its documented limits.
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstdlib>
#include <cstring>

#include "perfatlas/backends/cuda/fake_stream.h"

namespace {

struct Desc {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  cublasOperation_t op_a = CUBLAS_OP_N, op_b = CUBLAS_OP_N;
  int8_t fast = 0;
  int32_t a_mode = 0, b_mode = 0;
  const void *a_scales = nullptr, *b_scales = nullptr;
};

struct Layout {
  cudaDataType_t type;
  uint64_t rows, cols;
  int64_t ld;
  int32_t batches = 1;
  int64_t batch_stride = 0;
};

constexpr int kAlgorithms = 6;
constexpr size_t kWorkspace = 1000;  // no multiple of an alignment, on purpose

const Desc& desc_of(cublasLtMatmulDesc_t desc) { return *reinterpret_cast<const Desc*>(desc); }
const Layout& layout_of(cublasLtMatrixLayout_t layout) { return *reinterpret_cast<const Layout*>(layout); }

/// e2m1: sign, two bits of exponent, one of mantissa; even elements in the low half of a byte.
double fp4_element(const void* data, uint64_t i) {
  static constexpr double kMagnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  const int code = static_cast<const uint8_t*>(data)[i / 2] >> (i % 2 * 4) & 15;
  return code & 8 ? -kMagnitudes[code & 7] : kMagnitudes[code];
}

double element(const Layout& layout, const void* data, uint64_t row, uint64_t col, int64_t batch) {
  const uint64_t i = row + col * uint64_t(layout.ld) + uint64_t(batch * layout.batch_stride);
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
    case CUDA_R_4F_E2M1:
      return fp4_element(data, i);
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
  if (a.batches != b.batches || a.batches != d.batches) return false;
  switch (a.type) {
    case CUDA_R_4F_E2M1:
      return tn && desc.a_mode == CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3 && desc.b_mode == desc.a_mode &&
             d.type == CUDA_R_16BF && a.rows % 32 == 0;
    case CUDA_R_8F_E4M3:
      // Block scales exclude fast accumulation.
      if ((desc.a_mode == CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F ||
           desc.a_mode == CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0) &&
          desc.fast != 0)
        return false;
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

struct Factor {
  Layout layout;
  const void* data;
};

void multiply(const Desc& desc, const Factor& a, const Factor& b, const Layout& ld, void* d) {
  const bool ta = desc.op_a == CUBLAS_OP_T, tb = desc.op_b == CUBLAS_OP_T;
  const uint64_t depth = ta ? a.layout.rows : a.layout.cols;
  for (int64_t batch = 0; batch < ld.batches; ++batch)
    for (uint64_t row = 0; row < ld.rows; ++row)
      for (uint64_t col = 0; col < ld.cols; ++col) {
        double sum = 0;
        for (uint64_t i = 0; i < depth; ++i)
          sum += element(a.layout, a.data, ta ? i : row, ta ? row : i, batch) *
                 element(b.layout, b.data, tb ? col : i, tb ? i : col, batch);
        store(ld, d, row + col * uint64_t(ld.ld) + uint64_t(batch * ld.batch_stride), sum);
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
  struct Field {
    void* at;
    size_t bytes;
  };
  const auto field_of = [&]() -> Field {
    switch (attribute) {
      case CUBLASLT_MATMUL_DESC_TRANSA:
        return {&desc->op_a, sizeof desc->op_a};
      case CUBLASLT_MATMUL_DESC_TRANSB:
        return {&desc->op_b, sizeof desc->op_b};
      case CUBLASLT_MATMUL_DESC_A_SCALE_MODE:
        return {&desc->a_mode, sizeof desc->a_mode};
      case CUBLASLT_MATMUL_DESC_B_SCALE_MODE:
        return {&desc->b_mode, sizeof desc->b_mode};
      case CUBLASLT_MATMUL_DESC_A_SCALE_POINTER:
        return {&desc->a_scales, sizeof desc->a_scales};
      case CUBLASLT_MATMUL_DESC_B_SCALE_POINTER:
        return {&desc->b_scales, sizeof desc->b_scales};
      default:
        return {&desc->fast, sizeof desc->fast};
    }
  };
  const Field field = field_of();
  if (bytes != field.bytes) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(field.at, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t cols, int64_t ld) {
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, cols, ld});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t handle,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                size_t bytes) {
  auto* layout = reinterpret_cast<Layout*>(handle);
  if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT && bytes == sizeof layout->batches)
    std::memcpy(&layout->batches, value, bytes);
  else if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET && bytes == sizeof layout->batch_stride)
    std::memcpy(&layout->batch_stride, value, bytes);
  else
    return CUBLAS_STATUS_INVALID_VALUE;
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
  *count = wanted < kAlgorithms ? wanted : kAlgorithms;
  for (int i = 0; i < *count; ++i) {
    results[i].state =
        i == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_SUCCESS;  // the first is not usable
    results[i].workspaceSize = kWorkspace;
    results[i].algo.data[0] = uint64_t(100 + i);
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t* algorithm,
                                                    cublasLtMatmulAlgoConfigAttributes_t, void* value,
                                                    size_t bytes, size_t* written) {
  const auto id = int32_t(algorithm->data[0]);
  if (bytes != sizeof id) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(value, &id, bytes);
  *written = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

/// The value that every scale of a factor must have here; the first is looked at.
bool scaled_by_one(int32_t mode, const void* scales) {
  if (mode == CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F) return scales == nullptr;
  if (scales == nullptr) return false;
  if (mode == CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3)
    return float(*static_cast<const __nv_fp8_e4m3*>(scales)) == 1;
  if (mode == CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0) return *static_cast<const uint8_t*>(scales) == 127;
  return *static_cast<const float*>(scales) == 1;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc_handle, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t workspace_bytes,
                              cudaStream_t stream) {
  const Desc& desc = desc_of(desc_handle);
  const bool integer = desc.scale == CUDA_R_32I;
  const double one =
      integer ? *static_cast<const int32_t*>(alpha) : double(*static_cast<const float*>(alpha));
  const double zero = integer ? *static_cast<const int32_t*>(beta) : double(*static_cast<const float*>(beta));
  if (one != 1 || zero != 0 || c != d || algorithm == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  if (!scaled_by_one(desc.a_mode, desc.a_scales) || !scaled_by_one(desc.b_mode, desc.b_scales))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (workspace_bytes != kWorkspace) return CUBLAS_STATUS_INVALID_VALUE;
  auto* const queue = static_cast<perfatlas::FakeStream*>(static_cast<void*>(stream));
  queue->take([=, desc = desc, la = layout_of(a_layout), lb = layout_of(b_layout), ld = layout_of(d_layout)] {
    std::memset(workspace, 0xff, workspace_bytes);  // it is scratch: nobody's data may lie there
    multiply(desc, {la, a}, {lb, b}, ld, d);
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
