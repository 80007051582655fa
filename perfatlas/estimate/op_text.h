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
  std::string_view kind;  // see aic::op_name()
  double count = 1;       // scale factor; 1 for groups
  double weight_bytes = 0;
  /// {"n", "5120"}, without those at their usual value; names as in aic::op_from_json().
  std::vector<std::pair<std::string_view, std::string>> fields;
  /// Of groups: the two lists.
  std::vector<OpText> first, second;
};

OpText op_text(const aic::Op& op);

}  // namespace perfatlas::estimate
