// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cudnn_library.h"

namespace perfatlas {
namespace {

LibraryRequest runtime_request() {
  return {.name = "The CUDA runtime that cuDNN needs",
          .files = {"libcudart.so.13", "libcudart.so.12"},
          .wheel_folders = {"cu13/lib", "cuda_runtime/lib"},
          .more_folders = {}};
}

}  // namespace

LibraryRequest CudnnApi::request() {
  return {.name = "cuDNN", .files = {"libcudnn.so.9"}, .wheel_folders = {"cudnn/lib"}, .more_folders = {}};
}

CudnnLibrary::CudnnLibrary(const LibrarySearch& search) : VendorLibrary(search) {
  const DynamicLibrary runtime(runtime_request(), search);  // stays loaded
  if (api().version != nullptr) set_version(static_cast<long long>(api().version()));
  if (reason().empty()) set_reason(runtime.reason());
}

}  // namespace perfatlas
