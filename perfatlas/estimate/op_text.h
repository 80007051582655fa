// SPDX-License-Identifier: Apache-2.0
// The ops of a step in words.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "perfatlas/aic/op.h"

namespace perfatlas::estimate {

struct OpText {
  std::string name;
  std::string_view kind;  // "gemm", "context_attention", "overlap"
  double count = 1;       // scale factor; 1 for groups
  double weight_bytes = 0;
  /// What tells ops of a kind apart, as written: {"n", "5120"}.
  std::vector<std::pair<std::string_view, std::string>> fields;
  /// Of groups: the two lists.
  std::vector<OpText> first, second;
};

OpText op_text(const aic::Op& op);

}  // namespace perfatlas::estimate
