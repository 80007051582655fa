// SPDX-License-Identifier: Apache-2.0
// Aligned columns for terminals.
#pragma once

#include <string>
#include <vector>

namespace perfatlas {

struct TextTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as many cells as the header
};

/// Lines ended by "\n": header, rule, rows. Columns whose cells all start with a digit, a sign or are empty are
/// aligned to the right.
std::string text_table(const TextTable& table);

}  // namespace perfatlas
