// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {
namespace {

/// The same table in both folders; null where one has it not.
struct Pair {
  const FolderTable* first = nullptr;
  const FolderTable* second = nullptr;
  const FolderTable& any() const { return first != nullptr ? *first : *second; }
};

std::vector<Pair> pair_up(const DataFolder& first, const DataFolder& second, const DiffOptions& options) {
  std::map<std::vector<std::string>, Pair> pairs;
  const auto add = [&](const DataFolder& folder, const FolderTable* Pair::*side) {
    for (const FolderTable& table : folder.tables)
      if (options.system.empty() || table.system == options.system)
        pairs[{table.system, table.backend, table.version, table.file.table, table.family}].*side = &table;
  };
  add(first, &Pair::first);
  add(second, &Pair::second);
  std::vector<Pair> all;
  for (const auto& [key, pair] : pairs) all.push_back(pair);
  return all;
}

std::string content(const DataFolder& folder, const FolderTable* table) {
  return table == nullptr ? std::string() : folder.files->read(table->file.path);
}

FileTable no_rows(const OpType& op) {
  FileTableParts parts{.op = &op};
  parts.fields.resize(op.fields.size());
  parts.measured.resize(op.info.measured.size());
  return FileTable(std::move(parts));
}

FileTable read(const OpType& op, const DataFolder& folder, const FolderTable* table,
               const std::string& bytes) {
  if (table == nullptr) return no_rows(op);
  const std::string name = folder.files->name_of(table->file.path);
  return make_file_table(op, parse_columns(table->file.format, bytes, name), name);
}

void compare_rows(const FileTable& first, const FileTable& second, TableDiff& diff) {
  const RowKeys keys(first.op());
  const auto key_of = [&](const FileTable& table, uint32_t row) {
    return keys.kernel_key(table.values(row), table.kernels()[row]);
  };
  RowKeyMap rows(first.size());
  bool is_new = false;
  for (uint32_t row = 0; row < uint32_t(first.size()); ++row) rows.add(key_of(first, row), row, is_new);
  std::vector<double> ratios;
  for (uint32_t row = 0; row < uint32_t(second.size()); ++row) {
    const RowKey key = key_of(second, row);
    if (!rows.contains(key)) {
      ++diff.added;
      continue;
    }
    const double before = first.latency_ms(rows.add(key, row, is_new)), after = second.latency_ms(row);
    if (before == after)
      ++diff.unchanged;
    else
      ++diff.changed;
    if (before != after && before > 0) ratios.push_back(after / before);
  }
  diff.removed = first.size() - diff.changed - diff.unchanged;
  if (ratios.empty()) return;
  const auto middle = ratios.begin() + std::ptrdiff_t(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  diff.median_ratio = *middle;
}

}  // namespace

std::vector<TableDiff> compare_folders(const DataFolder& first, const DataFolder& second,
                                       const OpRegistry& ops, const DiffOptions& options) {
  std::vector<TableDiff> diffs;
  for (const Pair& pair : pair_up(first, second, options)) {
    const FolderTable& table = pair.any();
    for (const OpType* const op : ops_of_table(ops, table.file.table)) {
      if (!options.op.empty() && op->info.id != options.op) continue;
      TableDiff diff{.system = table.system,
                     .backend = table.backend,
                     .version = table.version,
                     .op = std::string(op->info.id)};
      try {
        const std::string before = content(first, pair.first), after = content(second, pair.second);
        const FileTable old_rows = read(*op, first, pair.first, before);
        if (before == after)
          diff.unchanged = old_rows.size();
        else
          compare_rows(old_rows, read(*op, second, pair.second, after), diff);
      } catch (const Error& error) {
        diff.problem = error.what();
      }
      diffs.push_back(std::move(diff));
    }
  }
  return diffs;
}

}  // namespace perfatlas
