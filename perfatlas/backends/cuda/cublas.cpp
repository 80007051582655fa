// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cublas.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {

/// The wheels that have cuBLASLt.
LibraryRequest CublasApi::request() {
  return {.name = "cuBLAS",
          .files = {"libcublas.so.13", "libcublas.so.12"},
          .wheel_folders = {"cu13/lib", "cublas/lib"},
          .more_folders = {}};
}

Cublas::Cublas(const LibrarySearch& search) : VendorLibrary(search) {
  if (!reason().empty()) return;
  int major = 0, minor = 0, patch = 0;
  for (const auto& [property, value] :
       {std::pair{MAJOR_VERSION, &major}, std::pair{MINOR_VERSION, &minor}, std::pair{PATCH_LEVEL, &patch}})
    api().property(property, value);
  set_version(10000LL * major + 100LL * minor + patch);
}

Cublas::~Cublas() {
  if (handle_ != nullptr) static_cast<void>(api().destroy(handle_));
}

cublasHandle_t Cublas::handle() {
  if (handle_ == nullptr) check(api().create(&handle_), "cublasCreate");
  return handle_;
}

void Cublas::check(cublasStatus_t status, const char* call) const {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw Error(fmt::format("{} failed: {}", call, api().status_string(status)));
}

}  // namespace perfatlas
