// SPDX-License-Identifier: Apache-2.0
// Elements of device memory as floats.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <fmt/format.h>

#include <string>

#include "perfatlas/base/error.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

using CudaBf16 = __nv_bfloat16;
using CudaHalf = __half;
using CudaFp8 = __nv_fp8_e4m3;

__host__ __device__ inline float to_float(float value) { return value; }
__host__ __device__ inline float to_float(CudaBf16 value) { return __bfloat162float(value); }
__host__ __device__ inline float to_float(CudaHalf value) { return __half2float(value); }
__host__ __device__ inline float to_float(CudaFp8 value) { return float(value); }
__host__ __device__ inline float to_float(int8_t value) { return float(value); }

/// Rounded to nearest even; fp8 beyond its range becomes the largest finite value, int8 likewise.
template <class T>
__host__ __device__ T from_float(float value);
template <>
__host__ __device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__host__ __device__ inline CudaBf16 from_float<CudaBf16>(float value) {
  return __float2bfloat16_rn(value);
}
template <>
__host__ __device__ inline CudaHalf from_float<CudaHalf>(float value) {
  return __float2half_rn(value);
}
template <>
__host__ __device__ inline CudaFp8 from_float<CudaFp8>(float value) {
  return CudaFp8(value);
}
template <>
__host__ __device__ inline int8_t from_float<int8_t>(float value) {
  const float rounded = rintf(value);
  return int8_t(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}

/// f(T{}) with the element type of f32 (tf32 likewise), bf16 or f16. Throws Error for others, which kernels refuse
/// before.
template <class F>
auto with_wide_element(DType type, const F& f) {
  switch (type) {
    case DType::f32:
    case DType::tf32:
      return f(float{});
    case DType::bf16:
      return f(CudaBf16{});
    case DType::f16:
      return f(CudaHalf{});
    default:
      throw Error(fmt::format("no CUDA kernel computes on {}", name_of(type)));
  }
}

/// The same, and fp8_e4m3 and int8.
template <class F>
auto with_element(DType type, const F& f) {
  if (type == DType::fp8_e4m3) return f(CudaFp8{});
  if (type == DType::int8) return f(int8_t{});
  return with_wide_element(type, f);
}

inline bool is_wide(DType type) { return type == DType::f32 || type == DType::bf16 || type == DType::f16; }

/// Why plain kernels do not compute in a type, or empty.
inline std::string why_not_wide(DType type) {
  return is_wide(type) ? "" : fmt::format("no CUDA kernel of this op computes in {}", name_of(type));
}

}  // namespace perfatlas
