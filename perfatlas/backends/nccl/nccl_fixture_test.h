// SPDX-License-Identifier: Apache-2.0
// Groups of ranks on GPUs that are none, with a stand-in for NCCL.
#pragma once

#include <gtest/gtest.h>

#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/backends/nccl/fake_peer_sum.h"
#include "perfatlas/backends/nccl/nccl_device.h"
#include "perfatlas/backends/nccl/nccl_kernels.h"

namespace perfatlas {

class NcclTest : public testing::Test {
 protected:
  NcclTest() {
    runtime_.devices = 4;
    add_all_nccl_kernels(kernels_);
  }

  std::unique_ptr<NcclDevice> front(std::string_view gpus = "all", const NcclLibrary* nccl = nullptr) {
    return std::make_unique<NcclDevice>(NcclDevice::Front{.gpus = gpus,
                                                          .rank_program = {PERFATLAS_FAKE_RANK},
                                                          .runtime = &runtime_,
                                                          .nccl = nccl == nullptr ? &nccl_ : nccl,
                                                          .search = fakes_,
                                                          .peer_sums = fake_peer_sums()});
  }

  FakeRuntime runtime_;
  LibrarySearch fakes_{{{PERFATLAS_FAKE_LIBRARIES, false}}};
  NcclLibrary nccl_{fakes_};
  KernelRegistry kernels_;
};

}  // namespace perfatlas
