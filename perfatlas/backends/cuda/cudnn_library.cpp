// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cudnn_library.h"

#include <fmt/format.h>

namespace perfatlas {
namespace {

LibraryRequest runtime_request() {
  return {.name = "The CUDA runtime that cuDNN needs",
          .files = {"libcudart.so.13", "libcudart.so.12"},
          .wheel_folders = {"cu13/lib", "cuda_runtime/lib"},
          .more_folders = {}};
}

LibraryRequest cudnn_request() {
  return {.name = "cuDNN", .files = {"libcudnn.so.9"}, .wheel_folders = {"cudnn/lib"}, .more_folders = {}};
}

/// cudnnGetVersion of version 9: major * 10000 + minor * 100 + patch.
std::string version_text(size_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

CudnnLibrary::CudnnLibrary(const LibrarySearch& search)
    : runtime_(runtime_request(), search), library_(cudnn_request(), search) {
  size_t (*get_version)() = nullptr;
  library_.require(get_version, "cudnnGetVersion");
  reason_ = library_.reason().empty() ? runtime_.reason() : library_.reason();
  if (get_version != nullptr) version_ = version_text(get_version());
}

}  // namespace perfatlas
