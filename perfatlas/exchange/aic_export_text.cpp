// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/exchange/aic_export.h"

namespace perfatlas {

std::string AicExportReport::text() const {
  std::string text;
  for (const AicExportedTable& table : tables) {
    text += fmt::format("{:28}{:>8} rows of {} {}{}{}\n", table.table, table.rows, table.backend,
                        table.version, table.path.empty() ? "" : " -> ", table.path);
    for (const auto& [reason, rows] : table.left_out)
      text += fmt::format("{:>34} left out: {}\n", rows, reason);
  }
  return text + fmt::format("{:28}{}\n", "description", description_path);
}

std::string AicExportReport::json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const AicExportedTable& table : tables) {
    nlohmann::ordered_json entry{{"table", table.table},
                                 {"backend", table.backend},
                                 {"version", table.version},
                                 {"rows", table.rows},
                                 {"left_out", table.left_out}};
    if (!table.path.empty()) entry["path"] = table.path;
    list.push_back(std::move(entry));
  }
  return nlohmann::ordered_json{{"description", description_path}, {"tables", list}}.dump();
}

}  // namespace perfatlas
