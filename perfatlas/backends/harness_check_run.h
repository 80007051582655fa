// SPDX-License-Identifier: Apache-2.0
// One launch of a kernel on given content, with everything it wrote read back.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// Content of every operand: in the declared layout, or (read-only operands that the kernel packs) as packed bytes.
using OperandBytes = std::vector<std::vector<std::byte>>;

struct CheckRunResult {
  OperandBytes before;  // what the kernel was given; outputs hold the pattern
  OperandBytes after;
  std::vector<size_t> overrun;  // operands with bytes written beyond their end
  LaunchMode mode = LaunchMode::direct;
  std::string note;
};

class CheckRun {
 public:
  CheckRun(const Case& what, const KernelEntry& kernel, Device& device);

  /// As declared, but of the element types that the kernel takes.
  const Operands& operands() const { return operands_; }
  const PreparedKernel& kernel() const { return *kernel_; }

  /// Loads `content` (values of written operands that are no outputs are used, too), fills outputs with `pattern` and
  /// launches once. REQUIRES: one HostOperand per declared operand; each is handed over in the kernel's type.
  CheckRunResult run(const std::vector<HostOperand>& content, std::byte pattern);

 private:
  void load(size_t index, const HostOperand& content, std::byte pattern);
  /// In the declared layout when the operand is written.
  std::vector<std::byte> as_judged(size_t index, std::vector<std::byte> bytes);

  Device& device_;
  Operands operands_;
  std::unique_ptr<PreparedKernel> kernel_;
  std::vector<size_t> bytes_;  // in the kernel's layout
  std::vector<std::shared_ptr<void>> memory_;
  std::shared_ptr<void> workspace_;
};

}  // namespace perfatlas
