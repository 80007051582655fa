// SPDX-License-Identifier: Apache-2.0
// For tests of CPU kernels: one case against the reference, by every kernel that takes it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"

namespace perfatlas {

class KernelChecks : public testing::Test {
 protected:
  explicit KernelChecks(void (*add_kernels)(KernelRegistry&)) { add_kernels(kernels_); }

  /// What is wrong, empty when nothing is. Counts the kernels that took the case in `checked_`.
  template <class Op>
  std::string failures_of(const Op& op) {
    const OpType type = make_op_type<Op>();
    const Case what = make_case(type, op);
    if (!op.why_invalid().empty()) return case_text(what) + ": " + std::string(op.why_invalid());
    std::string failures;
    for (const KernelEntry* kernel : kernels_.of(Op::info.id, "onednn")) {
      if (!kernel->why_unsupported(what.values, device_).empty()) continue;
      ++checked_;
      for (const HarnessCheck& check : check_kernel(what, *kernel, 1, device_))
        if (check.verdict == Verdict::failed)
          failures += fmt::format("{} {}: {}: {}\n", kernel->name, case_text(what), check.name, check.detail);
    }
    return failures;
  }

  /// Why each kernel of the op refuses the case; empty for those that take it.
  template <class Op>
  std::vector<std::string> reasons(const Op& op) {
    std::vector<std::string> all;
    for (const KernelEntry* kernel : kernels_.of(Op::info.id, "onednn"))
      all.push_back(kernel->why_unsupported(encode(op), device_));
    return all;
  }

  CpuDevice device_{""};
  KernelRegistry kernels_;
  int checked_ = 0;
};

}  // namespace perfatlas
