// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_rows.h"

#include <numeric>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {
namespace {

using RowNumbers = std::vector<uint32_t>;

RowNumbers all_rows(const FileTable& file) {
  RowNumbers rows(file.size());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

/// The rows of a file that count when it is looked at alone: of an allowed kernel, each key once.
RowNumbers own_rows(const RowKeys& keys, const TableSource& source, const FileTable& file, size_t& filtered) {
  const RowNumbers& winners = file.parts().winners;
  if (source.kernels.empty()) return winners.empty() ? all_rows(file) : winners;
  std::unordered_set<int64_t> allowed;
  for (const std::string& kernel : source.kernels) allowed.insert(Symbol(kernel).id());
  const bool by_kernel = file.op().layout.merge.by_kernel;
  RowKeyMap seen(file.size());
  RowNumbers rows;
  for (uint32_t row = 0; row < file.size(); ++row) {
    if (!allowed.contains(file.kernels()[row])) continue;
    bool is_new = true;
    if (!by_kernel) seen.add(keys.key(file.values(row)), row, is_new);
    if (is_new) rows.push_back(row);
  }
  filtered = file.size() - rows.size();
  return rows;
}

/// Lets files fill what the ones before them lack.
class Merge {
 public:
  Merge(const OpType& op, const RowKeys& keys, size_t expected)
      : keys_(keys), rule_(op.layout.merge), seen_(expected) {}

  void add(const FileTable& file, RowNumbers& rows) {
    std::vector<RowKey> taken;
    size_t kept = 0;
    for (const uint32_t row : rows) {
      const RowKey key = key_of(file, row);
      if (seen_.contains(key)) continue;
      taken.push_back(key);
      rows[kept++] = row;
    }
    rows.resize(kept);
    // Only now: rows of one file do not hide each other (whole_slice has one key for many).
    bool is_new = false;
    for (const RowKey& key : taken) seen_.add(key, 0, is_new);
  }

 private:
  RowKey key_of(const FileTable& file, uint32_t row) const {
    const FieldValues values = file.values(row);
    if (rule_.files == TableMerge::Files::whole_slice) return keys_.slice(values);
    return rule_.by_kernel ? keys_.kernel_key(values, file.kernels()[row]) : keys_.key(values);
  }

  const RowKeys& keys_;
  TableMerge rule_;
  RowKeyMap seen_;
};

}  // namespace

TableRows::TableRows(const OpType& op, const std::vector<SourceFile>& files) : op_(&op) {
  const RowKeys keys(op);
  size_t expected = 0;
  for (const SourceFile& file : files) expected += file.table->size();
  std::optional<Merge> merge;
  if (files.size() > 1) merge.emplace(op, keys, expected);
  for (const auto& [source, file] : files) {
    RowSource& entry = sources_.emplace_back();
    entry.source = source;
    entry.rows = file->size();
    RowNumbers rows = own_rows(keys, source, *file, entry.filtered);
    if (merge) merge->add(*file, rows);
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
  return place.file->values(place.row);
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
