// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/share_text.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {

double parse_share(std::string_view flag, std::string_view text) {
  std::string_view number = text;
  const bool percent = number.ends_with('%');
  if (percent) number.remove_suffix(1);
  const auto value = parse_real(number);
  const double share = value.value_or(0) / (percent ? 100 : 1);
  if (!value || share <= 0 || share > 1)
    throw UsageError(
        fmt::format("--{} '{}' is no share above 0 and at most 100%, for example 8%", flag, text));
  return share;
}

}  // namespace perfatlas
