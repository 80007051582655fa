// SPDX-License-Identifier: Apache-2.0
// For tests of CPU kernels: one case against the reference, by every kernel that takes it.
#pragma once

#include <gtest/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_failures_test.h"

namespace perfatlas {

class KernelChecks : public testing::Test {
 protected:
  explicit KernelChecks(void (*add_kernels)(KernelRegistry&)) { add_kernels(kernels_); }

  /// What is wrong, empty when nothing is. Counts the kernels that took the case in `checked_`.
  template <class Op>
  std::string failures_of(const Op& op) {
    return failures_of_kernels(op, kernels_.of(Op::info.id, "onednn"), device_, checked_);
  }

  /// Why each kernel of the op refuses the case; empty for those that take it.
  template <class Op>
  std::vector<std::string> reasons(const Op& op) {
    return reasons_of_kernels(op, kernels_.of(Op::info.id, "onednn"), device_);
  }

  CpuDevice device_{""};
  KernelRegistry kernels_;
  int checked_ = 0;
};

}  // namespace perfatlas
