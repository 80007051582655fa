// SPDX-License-Identifier: Apache-2.0
// cuBLASLt, opened at run time.
#pragma once

#include <cublasLt.h>

#include <string>

#include "perfatlas/backends/cuda/dynamic_library.h"

namespace perfatlas {

/// The functions that are used. Types come from the header of the toolkit the build used; their layouts are the same
/// in cuBLASLt 12 and 13.
struct CublasLtApi {
  decltype(cublasLtCreate)* create = nullptr;
  decltype(cublasLtDestroy)* destroy = nullptr;
  decltype(cublasLtGetVersion)* version = nullptr;
  decltype(cublasLtGetStatusString)* status_string = nullptr;
  decltype(cublasLtMatmulDescCreate)* desc_create = nullptr;
  decltype(cublasLtMatmulDescDestroy)* desc_destroy = nullptr;
  decltype(cublasLtMatmulDescSetAttribute)* desc_set = nullptr;
  decltype(cublasLtMatrixLayoutCreate)* layout_create = nullptr;
  decltype(cublasLtMatrixLayoutSetAttribute)* layout_set = nullptr;
  decltype(cublasLtMatrixLayoutDestroy)* layout_destroy = nullptr;
  decltype(cublasLtMatmulPreferenceCreate)* preference_create = nullptr;
  decltype(cublasLtMatmulPreferenceDestroy)* preference_destroy = nullptr;
  decltype(cublasLtMatmulPreferenceSetAttribute)* preference_set = nullptr;
  decltype(cublasLtMatmulAlgoGetHeuristic)* heuristic = nullptr;
  decltype(cublasLtMatmulAlgoConfigGetAttribute)* algorithm_get = nullptr;
  decltype(cublasLtMatmul)* matmul = nullptr;
};

/// The library with a handle on the current device, or why there is none. The constructor does not throw.
class CublasLt {
 public:
  explicit CublasLt(const LibrarySearch& search);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  /// Empty when the library can be used.
  const std::string& reason() const { return reason_; }
  const std::string& path() const { return library_.path(); }
  /// "13.1.0"; empty when the library is missing.
  const std::string& version() const { return version_; }

  /// REQUIRES (both): reason() is empty.
  const CublasLtApi& api() const { return api_; }
  cublasLtHandle_t handle() const { return handle_; }

  /// Throws Error with the call and the library's own words.
  void check(cublasStatus_t status, const char* call) const;

 private:
  DynamicLibrary library_;
  CublasLtApi api_;
  cublasLtHandle_t handle_ = nullptr;
  std::string version_;
  std::string reason_;
};

}  // namespace perfatlas
