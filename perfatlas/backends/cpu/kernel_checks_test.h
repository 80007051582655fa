// SPDX-License-Identifier: Apache-2.0
// For tests of CPU kernels: one case against the reference, by every kernel that takes it.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_failures_test.h"

namespace perfatlas {

class KernelChecks : public testing::Test {
 protected:
  explicit KernelChecks(void (*add_kernels)(KernelRegistry&)) { add_kernels(kernels_); }

  /// The kernels that take the case.
  template <class Op>
  std::vector<const KernelEntry*> taking(const Op& op) {
    std::vector<const KernelEntry*> found = kernels_.of(Op::info.id, "onednn");
    std::erase_if(found, [&](const KernelEntry* kernel) {
      return !kernel->why_unsupported(encode(op), device_).empty();
    });
    return found;
  }

  template <class Op>
  std::vector<std::string> names_of_taking(const Op& op) {
    std::vector<std::string> names;
    for (const KernelEntry* kernel : taking(op)) names.emplace_back(kernel->name);
    return names;
  }

  /// What is wrong, empty when nothing is. Counts the kernels that took the case in `checked_`.
  template <class Op>
  std::string failures_of(const Op& op) {
    return failures_of_kernels(op, kernels_.of(Op::info.id, "onednn"), device_, checked_);
  }

  /// The same in float32 and in bfloat16.
  template <class Op>
  std::string failures_in_both_types(Op op) {
    std::string failures;
    for (const DType dtype : {DType::f32, DType::bf16}) {
      op.dtype = op.kv_dtype = dtype;
      failures += failures_of(op);
    }
    return failures;
  }

  /// Of a property: draws the type and the kernel, too, since every one for every case takes too long.
  template <class Op>
  std::string failures_of_some_kernel(Op op) {
    op.dtype = op.kv_dtype = *rc::gen::element(DType::f32, DType::bf16);
    return failures_of_kernels(op, {*rc::gen::elementOf(taking(op))}, device_, checked_);
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
