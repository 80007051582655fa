// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

bool numeric(const std::string& cell) {
  return cell.empty() || (cell[0] >= '0' && cell[0] <= '9') || cell[0] == '-' || cell[0] == '+';
}

}  // namespace

std::string text_table(const TextTable& table) {
  const size_t columns = table.header.size();
  std::vector<size_t> width(columns);
  std::vector<bool> right(columns, true);
  for (size_t c = 0; c < columns; ++c) {
    width[c] = table.header[c].size();
    for (const auto& row : table.rows) {
      PERFATLAS_ASSERT(row.size() == columns);
      width[c] = std::max(width[c], row[c].size());
      right[c] = right[c] && numeric(row[c]);
    }
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t c = 0; c < columns; ++c)
      text += right[c] ? fmt::format("  {:>{}}", cells[c], width[c])
                       : fmt::format("  {:<{}}", cells[c], width[c]);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text + "\n";
  };
  std::string text = line(table.header) + "  ";
  for (size_t c = 0; c < columns; ++c) text += std::string(width[c], '-') + (c + 1 < columns ? "  " : "\n");
  for (const auto& row : table.rows) text += line(row);
  return text;
}

}  // namespace perfatlas
