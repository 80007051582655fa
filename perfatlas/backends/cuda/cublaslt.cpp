// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cublaslt.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// CUDA 13 wheels share the folder cu13; those of CUDA 12 have one folder per library.
LibraryRequest cublaslt_request() {
  return {.name = "cuBLASLt",
          .files = {"libcublasLt.so.13", "libcublasLt.so.12"},
          .wheel_folders = {"cu13/lib", "cublas/lib"},
          .more_folders = {}};
}

CublasLtApi load_api(DynamicLibrary& library) {
  CublasLtApi api;
  library.require(api.create, "cublasLtCreate");
  library.require(api.destroy, "cublasLtDestroy");
  library.require(api.version, "cublasLtGetVersion");
  library.require(api.status_string, "cublasLtGetStatusString");
  library.require(api.desc_create, "cublasLtMatmulDescCreate");
  library.require(api.desc_destroy, "cublasLtMatmulDescDestroy");
  library.require(api.desc_set, "cublasLtMatmulDescSetAttribute");
  library.require(api.layout_create, "cublasLtMatrixLayoutCreate");
  library.require(api.layout_set, "cublasLtMatrixLayoutSetAttribute");
  library.require(api.layout_destroy, "cublasLtMatrixLayoutDestroy");
  library.require(api.preference_create, "cublasLtMatmulPreferenceCreate");
  library.require(api.preference_destroy, "cublasLtMatmulPreferenceDestroy");
  library.require(api.preference_set, "cublasLtMatmulPreferenceSetAttribute");
  library.require(api.heuristic, "cublasLtMatmulAlgoGetHeuristic");
  library.require(api.algorithm_get, "cublasLtMatmulAlgoConfigGetAttribute");
  library.require(api.matmul, "cublasLtMatmul");
  return api;
}

/// cublasLtGetVersion: major * 10000 + minor * 100 + patch.
std::string version_text(size_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

CublasLt::CublasLt(const LibrarySearch& search)
    : library_(cublaslt_request(), search), api_(load_api(library_)), reason_(library_.reason()) {
  if (!reason_.empty()) return;
  version_ = version_text(api_.version());
  const cublasStatus_t status = api_.create(&handle_);
  if (status != CUBLAS_STATUS_SUCCESS)
    reason_ = fmt::format("cublasLtCreate of {} failed: {}", library_.path(), api_.status_string(status));
}

CublasLt::~CublasLt() {
  if (handle_ != nullptr) static_cast<void>(api_.destroy(handle_));
}

void CublasLt::check(cublasStatus_t status, const char* call) const {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw Error(fmt::format("{} failed: {}", call, api_.status_string(status)));
}

}  // namespace perfatlas
