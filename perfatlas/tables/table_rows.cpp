// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_rows.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {
namespace {

using RowNumbers = std::vector<uint32_t>;

/// Of a source in merged_bytes(); the numbers of its rows follow where not all of them count.
struct MergedSource {
  uint64_t rows, used, filtered, listed;
};

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

TableRows::TableRows(const OpType& op, const std::vector<SourceFile>& files, Hash128 origin)
    : op_(&op), origin_(origin) {
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
    const size_t count = rows.size();
    add_part(file, count == file->size() ? RowNumbers() : std::move(rows), count);
  }
}

void TableRows::add_part(std::shared_ptr<const FileTable> file, RowNumbers rows, size_t count) {
  if (count == 0) return;
  parts_.push_back({std::move(file), std::move(rows), size_, count, sources_.size() - 1});
  size_ += count;
}

std::string TableRows::merged_bytes() const {
  std::string bytes;
  size_t next_part = 0;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const bool has_part = next_part < parts_.size() && parts_[next_part].source == i;
    const RowNumbers none, &rows = has_part ? parts_[next_part++].rows : none;
    const MergedSource head{sources_[i].rows, sources_[i].used, sources_[i].filtered, rows.size()};
    bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
    bytes.append(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(uint32_t));
  }
  return bytes;
}

std::optional<TableRows> TableRows::of_merged(
    const OpType& op, const std::vector<TableSource>& sources, Hash128 origin, const SharedBytes& merged,
    const std::function<std::shared_ptr<const FileTable>(const TableSource&)>& file_of) {
  TableRows made(op, origin);
  std::string_view rest(static_cast<const char*>(merged.data), merged.bytes);
  for (const TableSource& source : sources) {
    MergedSource head{};
    if (rest.size() < sizeof head) return std::nullopt;
    std::memcpy(&head, rest.data(), sizeof head);
    rest.remove_prefix(sizeof head);
    if (head.listed > rest.size() / sizeof(uint32_t)) return std::nullopt;
    RowNumbers rows(head.listed);
    if (head.listed > 0) std::memcpy(rows.data(), rest.data(), head.listed * sizeof(uint32_t));
    rest.remove_prefix(head.listed * sizeof(uint32_t));
    made.sources_.push_back({source, head.rows, head.used, head.filtered});
    if (head.used == 0) continue;
    auto file = file_of(source);
    const bool fits = file->size() == head.rows && head.used == (rows.empty() ? head.rows : rows.size()) &&
                      std::all_of(rows.begin(), rows.end(), [&](uint32_t row) { return row < head.rows; });
    if (!fits) return std::nullopt;
    made.add_part(std::move(file), std::move(rows), head.used);
  }
  if (!rest.empty()) return std::nullopt;
  return made;
}

FieldValues TableRows::values(size_t row) const {
  const Place place = place_of(row);
  return place.file->values(place.row);
}

double TableRows::measured(size_t row, size_t column) const {
  const Place place = place_of(row);
  return place.file->measured(place.row, column);
}

std::optional<double> TableRows::contradicting_ms(size_t row) const {
  const Place place = place_of(row);
  const std::vector<Contradiction>& all = place.file->contradictions();
  const auto found = std::lower_bound(all.begin(), all.end(), place.row,
                                      [](const Contradiction& c, size_t number) { return c.row < number; });
  return found != all.end() && found->row == place.row ? std::optional(found->other_ms) : std::nullopt;
}

Symbol TableRows::kernel(size_t row) const {
  const Place place = place_of(row);
  return Symbol::from_id(place.file->kernels()[place.row]);
}

size_t TableRows::source(size_t row) const { return part_of(row).source; }

}  // namespace perfatlas
