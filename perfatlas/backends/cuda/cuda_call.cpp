// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_call.h"

#include <fmt/format.h>

#include <string_view>

namespace perfatlas {
namespace {

std::string error_text(cudaError_t code, const char* call) {
  const std::string_view text = call;
  const std::string_view name =
      text.substr(0, text.find('('));  // operands of the call are noise in a message
  std::string message =
      fmt::format("{} failed with {} ({})", name, cudaGetErrorName(code), cudaGetErrorString(code));
  if (is_fatal(code)) message += "; the device context is lost, a new worker process is needed";
  return message;
}

}  // namespace

CudaError::CudaError(cudaError_t code, const char* call) : Error(error_text(code, call)), code_(code) {}

bool is_fatal(cudaError_t code) {
  switch (code) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorLaunchFailure:
    case cudaErrorAssert:
    case cudaErrorContextIsDestroyed:
    case cudaErrorDevicesUnavailable:
    case cudaErrorUnknown:
#if CUDART_VERSION >= 13000
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
#endif
      return true;
    default:
      return false;
  }
}

}  // namespace perfatlas
