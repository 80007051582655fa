// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// The kernels between GPUs of every op, in the order of ops/CMakeLists.txt, all of them GroupKernels. Defined in a
/// generated file.
void add_all_nccl_kernels(KernelRegistry& registry);

}  // namespace perfatlas
