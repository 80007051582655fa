// SPDX-License-Identifier: Apache-2.0
// Kernels whose launch is one call of every rank of a group.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// What the ranks of a group are told about a case.
struct GroupCall {
  std::string kernel;     // kernel_source
  std::string case_text;  // see case_text()
  int ranks = 0;
  bool operator==(const GroupCall&) const = default;
};

/// Prepared twice: in the worker's front process, where the harness asks it for call() only, and in every rank, where
/// launch() gets that rank's rows of the operands and calls its library among all ranks of the group.
class GroupKernel : public PreparedKernel {
 public:
  virtual GroupCall call() const = 0;
};

/// One rank's share of an operand.
struct OperandRow {
  size_t bytes = 0;
  bool output = false;  // has no content to be copied: every byte is like the first
};

/// The rows of the operands of `what`. REQUIRES: the operands' first dimension is the ranks.
std::vector<OperandRow> operand_rows(const Case& what, int ranks);

}  // namespace perfatlas
