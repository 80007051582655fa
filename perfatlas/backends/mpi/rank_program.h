// SPDX-License-Identifier: Apache-2.0
// One rank of a group: rows in pages of this process, time by MPI_Wtime.
#pragma once

#include <string>

#include "perfatlas/backends/mpi/mpi_device.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// Runs until the front process hangs up; returns the process's exit code. `address` is where the front listens;
/// `device` says where this rank may run. REQUIRES: started by a launcher of MPI; called once, from main.
int run_rank(const std::string& address, MpiDevice& device, const OpRegistry& ops,
             const KernelRegistry& kernels);

/// "4.1.4" of the MPI library; MPI need not be initialised.
std::string mpi_library_version();

}  // namespace perfatlas
