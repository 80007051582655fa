// SPDX-License-Identifier: Apache-2.0
// What makes two rows the same measurement (schema/op.h, TableMerge).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "perfatlas/base/hash.h"
#include "perfatlas/tables/file_table.h"

namespace perfatlas {

/// A key's numbers, hashed.
using RowKey = Hash128;

struct RowKeyHash {
  size_t operator()(const RowKey& key) const { return size_t(key.low); }
};

class RowKeys {
 public:
  explicit RowKeys(const OpType& op);

  /// All fields of a row.
  FieldValues values(const FileTable& file, size_t row) const;
  /// Identity of the row: exact fields, axes, distinguishing fields, the kernel where it counts.
  RowKey key(const FieldValues& values, int64_t kernel) const;
  /// Identity of its slice: the exact fields alone.
  RowKey slice(const FieldValues& values, int64_t kernel) const;

 private:
  struct Numbers {
    std::array<int64_t, 2 * kMaxFields> value;
    size_t count = 0;
    void add(int64_t number) { value[count++] = number; }
    RowKey hash() const;
  };
  void add_slice(const FieldValues& values, int64_t kernel, Numbers& numbers) const;

  const OpType* op_;
  std::vector<size_t> exact_, distinguishing_;
};

}  // namespace perfatlas
