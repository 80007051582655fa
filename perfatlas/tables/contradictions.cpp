// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/contradictions.h"

#include "perfatlas/base/error.h"
#include "perfatlas/store/contradiction_text.h"

namespace perfatlas {
namespace {

/// Of one op's rows in a file.
std::optional<std::string> first_of(const FileTable& table, const std::string& file) {
  const std::vector<Contradiction>& all = table.contradictions();
  if (all.empty()) return std::nullopt;
  const auto row = size_t(all[0].row);
  return contradiction_text(file, {&table.op(), table.values(row)}, {table.latency_ms(row), all[0].other_ms},
                            all.size() - 1);
}

}  // namespace

std::vector<TableProblem> contradictions(const RootSource& root, std::string_view system) {
  std::vector<TableProblem> found;
  for (const VersionFolder& folder : root.tables(system).folders())
    for (const TableFile& file : folder.tables)
      for (const OpType* const op : ops_of_table(root.ops(), file.table)) {
        try {
          if (auto text = first_of(root.read_table(*op, file), root.files().name_of(file.path)))
            found.push_back({file.path, std::move(*text)});
        } catch (const Error&) {
          continue;  // index() reports it
        }
      }
  return found;
}

std::optional<std::string> contradiction_of(const TableRows& rows, size_t row) {
  const std::optional<double> other = rows.contradicting_ms(row);
  if (!other) return std::nullopt;
  return contradiction_text(rows.sources()[rows.source(row)].source.path, {&rows.op(), rows.values(row)},
                            {rows.latency_ms(row), *other});
}

}  // namespace perfatlas
