// SPDX-License-Identifier: Apache-2.0
// cuDNN, opened at run time. Its calls are made by the frontend's headers, in the units that include them.
#pragma once

#include <cstddef>

#include "perfatlas/backends/cuda/vendor_library.h"

namespace perfatlas {

struct CudnnApi {
  static LibraryRequest request();
  DynamicLibrary library;
  size_t (*version)() = library.require("cudnnGetVersion");
};

/// The library, with the CUDA runtime that the frontend asks the dynamic linker for by its bare name, or why there is
/// none.
class CudnnLibrary : public VendorLibrary<CudnnApi> {
 public:
  explicit CudnnLibrary(const LibrarySearch& search);
};

}  // namespace perfatlas
