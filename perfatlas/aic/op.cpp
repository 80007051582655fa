// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/op.h"

namespace perfatlas::aic {

const std::string& Op::name() const {
  return std::visit([](const auto& op) -> const std::string& { return op.name; }, value);
}

}  // namespace perfatlas::aic
