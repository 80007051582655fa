// SPDX-License-Identifier: Apache-2.0
// Which cores make up a CPU device.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

/// "0-1", "0", "0,2-3" -> core numbers, ascending, each once. Throws UsageError on anything else.
std::vector<int> parse_core_set(std::string_view text);

/// The shortest text that parses to `cores`. REQUIRES: ascending, each once.
std::string core_set_text(const std::vector<int>& cores);

/// Cores this process may run on, ascending.
std::vector<int> allowed_cores();

/// Throws UsageError naming the first core that is not among `allowed`, and what is.
void require_cores(const std::vector<int>& wanted, const std::vector<int>& allowed);

}  // namespace perfatlas
