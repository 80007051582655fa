// SPDX-License-Identifier: Apache-2.0
// cuDNN, opened at run time. Its calls are made by the frontend's headers, in the units that include them.
#pragma once

#include <string>

#include "perfatlas/backends/cuda/dynamic_library.h"

namespace perfatlas {

/// The library, or why there is none. The constructor does not throw and needs no driver.
class CudnnLibrary {
 public:
  explicit CudnnLibrary(const LibrarySearch& search);

  /// Empty when the library can be used.
  const std::string& reason() const { return reason_; }
  const std::string& path() const { return library_.path(); }
  /// "9.19.0"; empty when the library is missing.
  const std::string& version() const { return version_; }

 private:
  DynamicLibrary runtime_;  // libcudart, which the frontend asks the dynamic linker for by its bare name
  DynamicLibrary library_;
  std::string version_, reason_;
};

}  // namespace perfatlas
