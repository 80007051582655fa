// SPDX-License-Identifier: Apache-2.0
// FlashInfer's selective state update. Its headers take the sizes of a head as constants of the translation unit, here
// PERFATLAS_HEAD_DIM and PERFATLAS_D_STATE of mamba2_cuda_units.cmake, and call the driver, which this worker must be
// able to start without: those calls are looked up when they are made.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/ops/mamba2/mamba2_cuda_unit.h"

namespace perfatlas {

/// A function of the driver. Throws CudaError.
template <class Function>
Function* driver_function(const char* name) {
  constexpr unsigned kCudaVersion = 12000;  // of the newest function that is asked for
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  check_cuda(cudaGetDriverEntryPointByVersion(name, &found, kCudaVersion, cudaEnableDefault, &result), name);
  if (found == nullptr) throw CudaError(cudaErrorNotSupported, name);
  return reinterpret_cast<Function*>(found);
}

}  // namespace perfatlas

#define cuTensorMapEncodeTiled \
  ::perfatlas::driver_function<decltype(::cuTensorMapEncodeTiled)>("cuTensorMapEncodeTiled")
#define cuGetErrorString ::perfatlas::driver_function<decltype(::cuGetErrorString)>("cuGetErrorString")

// Its description of a tensor takes unsigned strides and is given signed ones in braces, which C++20 refuses: under
// another name, behind one that converts.
#define buildNdDescriptor describe_tensor
#include <flashinfer/mamba/create_tensor_map.cuh>
#undef buildNdDescriptor

namespace flashinfer::mamba::tma {

struct Strides {
  template <class... Number>
  Strides(Number... numbers) : values{uint64_t(numbers)...} {}
  std::vector<uint64_t> values;
};

inline CUtensorMap buildNdDescriptor(const std::type_info& type, const std::vector<uint64_t>& shape,
                                     const Strides& strides, const std::vector<int32_t>& tile, void* memory) {
  return describe_tensor(type, shape, strides.values, tile, memory);
}

}  // namespace flashinfer::mamba::tma

inline constexpr int DIM = PERFATLAS_HEAD_DIM, DSTATE = PERFATLAS_D_STATE;
inline constexpr int PHILOX_ROUNDS = 0;  // states are rounded to nearest
inline constexpr int NTOKENS_MTP = 1;
using cuSeqlensIndex_t = int32_t;  // of kernels that are not compiled here
using numAcceptedIndex_t = int32_t;

#pragma nv_diag_suppress 1143  // a scale that is not used is a void pointer
#include <flashinfer/mamba/selective_state_update.cuh>

#undef cuTensorMapEncodeTiled
#undef cuGetErrorString

namespace perfatlas {

inline void launch_state_update(std::span<void* const> operands, const Mamba2& op, Stream stream) {
  flashinfer::mamba::SelectiveStateUpdateParams params;
  params.batch = params.state_cache_size = uint32_t(op.batch);
  params.nheads = uint32_t(op.heads);
  params.dim = uint32_t(op.head_dim);
  params.dstate = uint32_t(op.d_state);
  params.ngroups = uint32_t(op.groups);
  params.pad_slot_id = -1;
  params.x_stride_batch = params.out_stride_batch = op.heads * op.head_dim;
  params.dt_stride_batch = op.heads;
  params.B_stride_batch = params.C_stride_batch = op.groups * op.d_state;
  params.state_stride_batch = op.heads * op.head_dim * op.d_state;
  params.state = operands[mamba2_state_at];
  params.x = operands[mamba2_x_at];
  params.dt = operands[mamba2_dt_at];
  params.dt_bias = operands[mamba2_dt_bias_at];
  params.A = operands[mamba2_a_at];
  params.B = operands[mamba2_b_at];
  params.C = operands[mamba2_c_at];
  params.D = operands[mamba2_d_at];
  params.output = operands[mamba2_y_at];
  params.dt_softplus = true;
  check_flashinfer("FlashInfer selective state update", [&] {
    flashinfer::mamba::invokeSelectiveStateUpdate<bf16_t, bf16_t, float, float, int32_t, void>(
        params, flashinfer::mamba::SSUAlgorithm::kAuto, static_cast<cudaStream_t>(stream));
    return cudaGetLastError();
  });
}

}  // namespace perfatlas
