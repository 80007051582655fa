// SPDX-License-Identifier: Apache-2.0
// cuBLASLt, opened at run time.
#pragma once

#include <cublasLt.h>

#include <string>

#include "perfatlas/backends/cuda/vendor_library.h"

namespace perfatlas {

/// The functions that are used. Types come from the header of the toolkit the build used; their layouts are the same
/// in cuBLASLt 12 and 13.
struct CublasLtApi {
  static LibraryRequest request();
  DynamicLibrary library;
  decltype(cublasLtCreate)* create = library.require("cublasLtCreate");
  decltype(cublasLtDestroy)* destroy = library.require("cublasLtDestroy");
  decltype(cublasLtGetVersion)* version = library.require("cublasLtGetVersion");
  decltype(cublasLtGetStatusString)* status_string = library.require("cublasLtGetStatusString");
  decltype(cublasLtMatmulDescCreate)* desc_create = library.require("cublasLtMatmulDescCreate");
  decltype(cublasLtMatmulDescDestroy)* desc_destroy = library.require("cublasLtMatmulDescDestroy");
  decltype(cublasLtMatmulDescSetAttribute)* desc_set = library.require("cublasLtMatmulDescSetAttribute");
  decltype(cublasLtMatrixLayoutCreate)* layout_create = library.require("cublasLtMatrixLayoutCreate");
  decltype(cublasLtMatrixLayoutSetAttribute)* layout_set =
      library.require("cublasLtMatrixLayoutSetAttribute");
  decltype(cublasLtMatrixLayoutDestroy)* layout_destroy = library.require("cublasLtMatrixLayoutDestroy");
  decltype(cublasLtMatmulPreferenceCreate)* preference_create =
      library.require("cublasLtMatmulPreferenceCreate");
  decltype(cublasLtMatmulPreferenceDestroy)* preference_destroy =
      library.require("cublasLtMatmulPreferenceDestroy");
  decltype(cublasLtMatmulPreferenceSetAttribute)* preference_set =
      library.require("cublasLtMatmulPreferenceSetAttribute");
  decltype(cublasLtMatmulAlgoGetHeuristic)* heuristic = library.require("cublasLtMatmulAlgoGetHeuristic");
  decltype(cublasLtMatmulAlgoConfigGetAttribute)* algorithm_get =
      library.require("cublasLtMatmulAlgoConfigGetAttribute");
  decltype(cublasLtMatmul)* matmul = library.require("cublasLtMatmul");
};

/// The library with a handle on the current device, or why there is none.
class CublasLt : public VendorLibrary<CublasLtApi> {
 public:
  explicit CublasLt(const LibrarySearch& search);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  /// REQUIRES: reason() is empty.
  cublasLtHandle_t handle() const { return handle_; }

  /// Throws Error with the call and the library's own words.
  void check(cublasStatus_t status, const char* call) const;

 private:
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace perfatlas
