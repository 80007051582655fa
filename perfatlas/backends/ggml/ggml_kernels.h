// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// The ggml kernels of every op, in the order of ops/CMakeLists.txt. Defined in a generated file.
void add_all_ggml_kernels(KernelRegistry& registry);

}  // namespace perfatlas
