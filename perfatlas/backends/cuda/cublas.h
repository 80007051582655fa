// SPDX-License-Identifier: Apache-2.0
// cuBLAS, opened at run time, for the grouped products that cuBLASLt does not have.
#pragma once

#include <cublas_v2.h>

#include "perfatlas/backends/cuda/vendor_library.h"

namespace perfatlas {

/// The functions that are used.
struct CublasApi {
  static LibraryRequest request();
  DynamicLibrary library;
  decltype(cublasCreate_v2)* create = library.require("cublasCreate_v2");
  decltype(cublasDestroy_v2)* destroy = library.require("cublasDestroy_v2");
  decltype(cublasGetProperty)* property = library.require("cublasGetProperty");
  decltype(cublasGetStatusString)* status_string = library.require("cublasGetStatusString");
  decltype(cublasSetStream_v2)* set_stream = library.require("cublasSetStream_v2");
  decltype(cublasSetWorkspace_v2)* set_workspace = library.require("cublasSetWorkspace_v2");
  decltype(cublasGemmGroupedBatchedEx)* grouped =
      library.require("cublasGemmGroupedBatchedEx");  // since 12.5
};

/// The library, or why there is none.
class Cublas : public VendorLibrary<CublasApi> {
 public:
  explicit Cublas(const LibrarySearch& search);
  ~Cublas();
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  /// A handle on the current device, made when it is first asked for, which takes device memory. Throws Error.
  /// REQUIRES: reason() is empty.
  cublasHandle_t handle();

  /// Throws Error with the call and the library's own words.
  void check(cublasStatus_t status, const char* call) const;

 private:
  cublasHandle_t handle_ = nullptr;
};

}  // namespace perfatlas
