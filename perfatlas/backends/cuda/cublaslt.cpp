// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cublaslt.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {

/// CUDA 13 wheels share the folder cu13; those of CUDA 12 have one folder per library.
LibraryRequest CublasLtApi::request() {
  return {.name = "cuBLASLt",
          .files = {"libcublasLt.so.13", "libcublasLt.so.12"},
          .wheel_folders = {"cu13/lib", "cublas/lib"},
          .more_folders = {}};
}

CublasLt::CublasLt(const LibrarySearch& search) : VendorLibrary(search) {
  if (!reason().empty()) return;
  set_version(static_cast<long long>(api().version()));
  const cublasStatus_t status = api().create(&handle_);
  if (status != CUBLAS_STATUS_SUCCESS)
    set_reason(fmt::format("cublasLtCreate of {} failed: {}", path(), api().status_string(status)));
}

CublasLt::~CublasLt() {
  if (handle_ != nullptr) static_cast<void>(api().destroy(handle_));
}

void CublasLt::check(cublasStatus_t status, const char* call) const {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw Error(fmt::format("{} failed: {}", call, api().status_string(status)));
}

}  // namespace perfatlas
