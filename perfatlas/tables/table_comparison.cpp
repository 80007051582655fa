// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "perfatlas/base/error.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {
namespace {

std::string place_of(const FolderTable& table) {
  return fmt::format("{}/{}/{}", table.system, table.backend, table.version);
}

FileTable read(const OpType& op, const DataFolder& folder, const FolderTable& table) {
  const std::string name = folder.files->name_of(table.file.path);
  return make_file_table(op, parse_columns(table.file.format, folder.files->read(table.file.path), name),
                         name);
}

/// The fastest row of every key.
std::vector<uint32_t> fastest_rows(const FileTable& table, const RowKeys& keys) {
  RowKeyMap of_key(table.size());
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < uint32_t(table.size()); ++row) {
    bool is_new = false;
    const uint32_t at = of_key.add(keys.key(table.values(row)), uint32_t(rows.size()), is_new);
    if (is_new)
      rows.push_back(row);
    else if (table.latency_ms(row) < table.latency_ms(rows[at]))
      rows[at] = row;
  }
  return rows;
}

struct Ratio {
  double value;
  uint32_t row;  // of the first table
};

std::vector<Ratio> ratios_of(const FileTable& first, const FileTable& second) {
  const RowKeys keys(first.op());
  RowKeyMap of_key(second.size());
  bool is_new = false;
  for (const uint32_t row : fastest_rows(second, keys)) of_key.add(keys.key(second.values(row)), row, is_new);
  std::vector<Ratio> ratios;
  for (const uint32_t row : fastest_rows(first, keys)) {
    const RowKey key = keys.key(first.values(row));
    if (!of_key.contains(key)) continue;
    const double other = second.latency_ms(of_key.add(key, 0, is_new));
    if (other > 0) ratios.push_back({first.latency_ms(row) / other, row});
  }
  std::sort(ratios.begin(), ratios.end(), [](const Ratio& a, const Ratio& b) {
    return std::tie(a.value, a.row) < std::tie(b.value, b.row);
  });
  return ratios;
}

/// The nearest rank at or above a share of the sorted ratios.
double quantile(const std::vector<Ratio>& sorted, double share) {
  return sorted[size_t(share * double(sorted.size() - 1) + 0.5)].value;
}

void compare(const FileTable& first, const FileTable& second, TableComparison& result) {
  const std::vector<Ratio> ratios = ratios_of(first, second);
  result.keys = ratios.size();
  if (ratios.empty()) return;
  result.p10 = quantile(ratios, 0.1);
  result.p50 = quantile(ratios, 0.5);
  result.p90 = quantile(ratios, 0.9);
  const auto text = [&](const Ratio& ratio) { return case_text({&first.op(), first.values(ratio.row)}); };
  result.lowest = ratios.front().value;
  result.lowest_case = text(ratios.front());
  result.highest = ratios.back().value;
  result.highest_case = text(ratios.back());
}

}  // namespace

std::vector<TableComparison> compare_with_system(const DataFolder& first, const DataFolder& second,
                                                 const OpRegistry& ops, const ComparisonOptions& options) {
  std::vector<const FolderTable*> published;
  for (const FolderTable& table : second.tables)
    if (table.system == options.system) published.push_back(&table);
  if (published.empty())
    throw UsageError(
        fmt::format("the second folder has no tables of system {}; perfatlas tables lists "
                    "what a folder has",
                    options.system));
  std::vector<TableComparison> all;
  for (const FolderTable& own : first.tables)
    for (const OpType* const op : ops_of_table(ops, own.file.table)) {
      if (!options.op.empty() && op->info.id != options.op) continue;
      for (const FolderTable* const other : published) {
        if (other->file.table != own.file.table) continue;
        TableComparison result{
            .op = std::string(op->info.id), .first = place_of(own), .second = place_of(*other)};
        try {
          compare(read(*op, first, own), read(*op, second, *other), result);
        } catch (const Error& error) {
          result.problem = error.what();
        }
        all.push_back(std::move(result));
      }
    }
  std::stable_sort(all.begin(), all.end(), [](const TableComparison& a, const TableComparison& b) {
    return std::tie(a.op, a.first, a.second) < std::tie(b.op, b.first, b.second);
  });
  return all;
}

}  // namespace perfatlas
