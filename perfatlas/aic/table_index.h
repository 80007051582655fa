// SPDX-License-Identifier: Apache-2.0
// The rows of a table by their key, in order of first appearance.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "perfatlas/tables/table_rows.h"

namespace perfatlas::aic {

/// Values of key fields; unused places are 0.
using TableKey = std::array<int64_t, 12>;

struct TableKeyHash {
  size_t operator()(const TableKey& key) const;
};

/// One part of a key: a column, and how its values are written.
struct KeyPart {
  std::string_view name;
  std::string (*format)(int64_t) = nullptr;  // null: a plain number
};

class TableIndex {
 public:
  struct Group {
    TableKey key{};
    std::vector<uint32_t> rows;  // in the order of the table
  };

  /// `table` is what the table is called in messages. `key_of(row, key)` fills the key and says whether the row counts.
  template <class KeyOf>
  TableIndex(std::string table, std::shared_ptr<const TableRows> rows, std::vector<KeyPart> parts,
             KeyOf key_of)
      : table_(std::move(table)), rows_(std::move(rows)), parts_(std::move(parts)) {
    for (uint32_t row = 0; row < rows_->size(); ++row) {
      TableKey key{};
      if (key_of(row, key)) add(key, row);
    }
  }

  const TableRows& rows() const { return *rows_; }
  bool empty() const { return groups_.empty(); }
  const std::vector<Group>& groups() const { return groups_; }
  /// Null when there are no such rows.
  const Group* find(const TableKey& key) const;

  /// Why find() gives nothing: the first part of the key that, together with those before it, no row has, and the
  /// values that rows have there.
  std::string why_missing(const TableKey& key) const;

 private:
  void add(const TableKey& key, uint32_t row);

  std::string table_;
  std::shared_ptr<const TableRows> rows_;
  std::vector<KeyPart> parts_;
  std::vector<Group> groups_;
  std::unordered_map<TableKey, uint32_t, TableKeyHash> positions_;
  std::array<uint32_t, 8> recent_{};  // groups that were looked for last
  uint32_t next_recent_ = 0;
};

}  // namespace perfatlas::aic
