// SPDX-License-Identifier: Apache-2.0
// Every CUDA runtime call goes through one of two macros.
#pragma once

#include <cuda_runtime_api.h>

#include "perfatlas/base/error.h"

namespace perfatlas {

/// A CUDA call that failed; the text holds the call, the error's name and its meaning.
class CudaError : public Error {
 public:
  CudaError(cudaError_t code, const char* call);
  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

/// The error has destroyed the device context: every later call of this process fails with it ("sticky" in the
/// documentation of cudaError_t: a kernel that faulted, an uncorrectable memory error). Only a new process helps.
bool is_fatal(cudaError_t code);

inline void check_cuda(cudaError_t code, const char* call) {
  if (code != cudaSuccess) throw CudaError(code, call);
}

}  // namespace perfatlas

/// Throws CudaError, which keeps the call's text.
#define PERFATLAS_CUDA(call) ::perfatlas::check_cuda((call), #call)

/// For destructors and unwinding: the error was reported already, or the next checked call reports it.
#define PERFATLAS_CUDA_NOEXCEPT(call) static_cast<void>(call)
