// SPDX-License-Identifier: Apache-2.0
// Shares as users write them.
#pragma once

#include <string>
#include <string_view>

namespace perfatlas {

/// "8%" or "0.08" as 0.08. Throws UsageError naming the flag unless it is above 0 and at most 1.
double parse_share(std::string_view flag, std::string_view text);

}  // namespace perfatlas
