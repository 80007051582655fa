// SPDX-License-Identifier: Apache-2.0
// A system description for people.
#pragma once

#include <string>

#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

/// Several lines, each ending in a newline, data-sheet and measured figures side by side; "-" marks unknown values.
std::string system_spec_text(const SystemSpec& spec);

/// "21.5 GB/s", "989 TFLOP/s": three significant digits, decimal prefixes.
std::string rate_text(double per_second, const std::string& unit);

/// "480 MiB", "1.5 GiB": three significant digits, binary prefixes.
std::string bytes_text(double bytes);

}  // namespace perfatlas
