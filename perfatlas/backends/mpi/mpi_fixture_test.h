// SPDX-License-Identifier: Apache-2.0
// A device whose ranks are processes of the built worker.
#pragma once

#include <gtest/gtest.h>

#include "perfatlas/backends/mpi/mpi_device.h"
#include "perfatlas/backends/mpi/mpi_kernels.h"

namespace perfatlas {

inline std::vector<std::string> test_rank_program() { return {PERFATLAS_WORKER, "--rank"}; }

/// Tests are skipped, by name, where there is no mpirun.
class MpiTest : public testing::Test {
 protected:
  MpiTest() { add_all_mpi_kernels(kernels_); }
  void SetUp() override {
    if (!device_.launcher_problem().empty()) GTEST_SKIP() << device_.launcher_problem();
  }

  MpiDevice device_{"", test_rank_program()};
  KernelRegistry kernels_;
};

}  // namespace perfatlas
