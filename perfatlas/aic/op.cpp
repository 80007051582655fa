// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/op.h"

namespace perfatlas::aic {

const std::string& Op::name() const {
  return std::visit([](const auto& op) -> const std::string& { return op.name; }, value);
}

std::optional<double> Op::multiple_of(const Op& other) const {
  return std::visit(
      [&]<class T>(const T& op) -> std::optional<double> {
        const T* const like = std::get_if<T>(&other.value);
        if constexpr (requires { op.scale_factor; }) {
          if (like == nullptr || !(like->scale_factor > 0)) return std::nullopt;
          T same = *like;
          same.name = op.name;
          same.scale_factor = op.scale_factor;
          if (same == op) return op.scale_factor / like->scale_factor;
        }
        return std::nullopt;
      },
      value);
}

}  // namespace perfatlas::aic
