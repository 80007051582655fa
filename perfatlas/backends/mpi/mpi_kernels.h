// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// The MPI kernels of every op, in the order of ops/CMakeLists.txt, all GroupKernels. Defined in a generated file.
void add_all_mpi_kernels(KernelRegistry& registry);

}  // namespace perfatlas
