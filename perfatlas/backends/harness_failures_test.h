// SPDX-License-Identifier: Apache-2.0
// For tests of kernels: one case by each of them against the reference.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "perfatlas/backends/harness_check.h"

namespace perfatlas {

/// What is wrong, empty when nothing is. Counts the kernels that take the case in `checked`.
template <class Op>
std::string failures_of_kernels(const Op& op, const std::vector<const KernelEntry*>& kernels, Device& device,
                                int& checked) {
  const OpType type = make_op_type<Op>();
  const Case what = make_case(type, op);
  if (!op.why_invalid().empty()) return case_text(what) + ": " + std::string(op.why_invalid());
  std::string failures;
  for (const KernelEntry* kernel : kernels) {
    if (!kernel->why_unsupported(what.values, device).empty()) continue;
    ++checked;
    for (const HarnessCheck& check : check_kernel(what, *kernel, 1, device))
      if (check.verdict == Verdict::failed)
        failures += fmt::format("{} {}: {}: {}\n", kernel->name, case_text(what), check.name, check.detail);
  }
  return failures;
}

/// Why each kernel refuses the case; empty for those that take it.
template <class Op>
std::vector<std::string> reasons_of_kernels(const Op& op, const std::vector<const KernelEntry*>& kernels,
                                            const Device& device) {
  std::vector<std::string> all;
  for (const KernelEntry* kernel : kernels) all.push_back(kernel->why_unsupported(encode(op), device));
  return all;
}

}  // namespace perfatlas
