// SPDX-License-Identifier: Apache-2.0
// For tests of ggml kernels: every kernel that takes a case against the reference of its op.
#pragma once

#include <gtest/gtest.h>

#include "perfatlas/backends/ggml/ggml_device.h"
#include "perfatlas/backends/harness_check.h"

namespace perfatlas {

/// One device for all tests of a program, because there may be one at a time.
inline GgmlDevice& ggml_test_device() {
  static GgmlDevice device("");
  return device;
}

/// Runs every check of the harness; returns how many kernels took the case.
inline int check_ggml_kernels(const Case& what, const KernelRegistry& kernels) {
  int checked = 0;
  for (const KernelEntry& kernel : kernels.entries()) {
    if (kernel.op != what.op->info.id) continue;
    if (!kernel.why_unsupported(what.values, ggml_test_device()).empty()) continue;
    ++checked;
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, ggml_test_device()))
      EXPECT_NE(check.verdict, Verdict::failed)
          << kernel.name << " " << case_text(what) << ": " << check.name << ": " << check.detail;
  }
  return checked;
}

template <class Op>
int check_ggml_kernels(const Op& op, const KernelRegistry& kernels) {
  static const OpType kType = make_op_type<Op>();
  const Case what = make_case(kType, op);
  EXPECT_EQ(op.why_invalid(), "") << case_text(what);
  return check_ggml_kernels(what, kernels);
}

}  // namespace perfatlas
