// SPDX-License-Identifier: Apache-2.0
// Operands for workers that do not link the op declarations: described in the request, their content in files.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "perfatlas/base/file.h"
#include "perfatlas/schema/op_type.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {

/// The operands of a case, without content. REQUIRES: the op is measurable.
OperandOffer describe_operands(const Case& what);

class RemoteOperands {
 public:
  /// For sample requests: with the content of those operands that decide what a kernel does (indices, routing); the
  /// worker fills the others with random elements. The files stay until another case is offered. Throws Error.
  const OperandOffer& for_sampling(const Case& what, uint64_t seed);

  /// For launch requests: one file per operand, none written yet.
  OperandOffer for_launch(const Case& what) const;

  /// Content of one operand's file. Throws Error; reading also when the size differs.
  static void write(const OfferedOperand& operand, std::span<const std::byte> content);
  static void read(const OfferedOperand& operand, std::span<std::byte> content);

 private:
  std::string file_of(size_t operand) const;

  TemporaryFolder folder_;
  std::optional<Case> sampled_;
  uint64_t sampled_seed_ = 0;
  OperandOffer sampling_;
};

}  // namespace perfatlas
