// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {
namespace {

/// Chooses which rows of which file count.
class Merge {
 public:
  explicit Merge(const OpType& op) : keys_(op), rule_(op.layout.merge) {}

  /// The rows of one more file that count, ascending. Sets `filtered` to those of kernels that are not allowed.
  std::vector<uint32_t> add(const TableSource& source, const FileTable& file, size_t& filtered) {
    const std::unordered_set<int64_t> allowed = symbols_of(source.kernels);
    std::unordered_map<RowKey, uint32_t, RowKeyHash> of_this_file;
    std::unordered_set<RowKey, RowKeyHash> slices_of_this_file;
    std::vector<uint32_t> kept;
    filtered = 0;
    for (uint32_t row = 0; row < file.size(); ++row) {
      if (!allowed.empty() && !allowed.contains(file.kernels()[row])) {
        ++filtered;
        continue;
      }
      const FieldValues values = keys_.values(file, row);
      if (rule_.files == TableMerge::Files::whole_slice) {
        const RowKey slice = keys_.slice(values, file.kernels()[row]);
        if (slices_.contains(slice)) continue;
        slices_of_this_file.insert(slice);
      }
      const RowKey key = keys_.key(values, file.kernels()[row]);
      if (seen_.contains(key)) continue;
      const auto [entry, is_new] = of_this_file.try_emplace(key, uint32_t(kept.size()));
      if (is_new) {
        kept.push_back(row);
      } else if (rule_.repeats == TableMerge::Repeats::refused) {
        throw Error(fmt::format("{}: row {} repeats row {}", source.path, row + 1, kept[entry->second] + 1));
      } else if (rule_.repeats == TableMerge::Repeats::last_counts) {
        kept[entry->second] = row;
      }
    }
    std::sort(kept.begin(), kept.end());
    slices_.merge(slices_of_this_file);
    for (const auto& [key, position] : of_this_file) seen_.insert(key);
    return kept;
  }

 private:
  static std::unordered_set<int64_t> symbols_of(const std::vector<std::string>& kernels) {
    std::unordered_set<int64_t> symbols;
    for (const std::string& kernel : kernels) symbols.insert(Symbol(kernel).id());
    return symbols;
  }

  RowKeys keys_;
  TableMerge rule_;
  std::unordered_set<RowKey, RowKeyHash> seen_, slices_;
};

}  // namespace

TableRows::TableRows(const OpType& op, const std::vector<SourceFile>& files) : op_(&op) {
  Merge merge(op);
  for (const auto& [source, file] : files) {
    RowSource& entry = sources_.emplace_back();
    entry.source = source;
    entry.rows = file->size();
    std::vector<uint32_t> rows = merge.add(source, *file, entry.filtered);
    entry.used = rows.size();
    if (rows.empty()) continue;
    Part& part = parts_.emplace_back();
    part.file = file;
    part.first = size_;
    part.count = rows.size();
    part.source = sources_.size() - 1;
    if (rows.size() != file->size()) part.rows = std::move(rows);
    size_ += part.count;
  }
}

const TableRows::Part& TableRows::part_of(size_t row) const {
  PERFATLAS_ASSERT(row < size_);
  size_t part = parts_.size() - 1;
  while (parts_[part].first > row) --part;
  return parts_[part];
}

TableRows::Place TableRows::place_of(size_t row) const {
  const Part& part = part_of(row);
  const size_t offset = row - part.first;
  return {part.file.get(), part.rows.empty() ? offset : part.rows[offset]};
}

FieldValues TableRows::values(size_t row) const {
  const Place place = place_of(row);
  FieldValues values{};
  for (size_t i = 0; i < op_->fields.size(); ++i) values[i] = place.file->value(place.row, i);
  return values;
}

int64_t TableRows::value(size_t row, size_t field) const {
  const Place place = place_of(row);
  return place.file->value(place.row, field);
}

double TableRows::latency_ms(size_t row) const {
  const Place place = place_of(row);
  return place.file->latency_ms(place.row);
}

double TableRows::measured(size_t row, size_t column) const {
  const Place place = place_of(row);
  return place.file->measured(place.row, column);
}

double TableRows::power_w(size_t row) const {
  const Place place = place_of(row);
  return place.file->power_w(place.row);
}

Symbol TableRows::kernel(size_t row) const {
  const Place place = place_of(row);
  return Symbol::from_id(place.file->kernels()[place.row]);
}

size_t TableRows::source(size_t row) const { return part_of(row).source; }

}  // namespace perfatlas
