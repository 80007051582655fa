// SPDX-License-Identifier: Apache-2.0
// What makes two rows the same measurement (schema/op.h, TableMerge).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "perfatlas/base/hash.h"
#include "perfatlas/tables/file_table.h"

namespace perfatlas {

/// A key's numbers, hashed.
using RowKey = Hash128;

class RowKeys {
 public:
  explicit RowKeys(const OpType& op);

  /// Identity of a row within one kernel: exact fields, axes, distinguishing fields.
  RowKey key(const FieldValues& values) const;
  /// The same, with the kernel.
  RowKey kernel_key(const FieldValues& values, int64_t kernel) const;
  /// Identity of its slice: the exact fields alone.
  RowKey slice(const FieldValues& values) const;

 private:
  struct Numbers {
    std::array<int64_t, 2 * kMaxFields + 1> value;
    size_t count = 0;
    void add(int64_t number) { value[count++] = number; }
    RowKey hash() const;
  };
  void add_slice(const FieldValues& values, Numbers& numbers) const;
  void add_key(const FieldValues& values, Numbers& numbers) const;

  const OpType* op_;
  std::vector<size_t> plain_;               // fields whose values are part of the key
  std::vector<size_t> keyed_;               // exact fields that have a key function
  std::vector<const AxisType*> made_axes_;  // axes that are no field
  std::vector<size_t> plain_exact_;
};

/// Keys and a number for each. Open addressing over small slots, so that a hundred thousand keys are looked up within
/// the second-level cache.
class RowKeyMap {
 public:
  /// Room for `expected` keys; grows when there are more.
  explicit RowKeyMap(size_t expected);
  /// The number of `key`: `number` when it is new. Valid until the next call.
  uint32_t& add(const RowKey& key, uint32_t number, bool& is_new);
  bool contains(const RowKey& key) const { return slots_[slot_of(key)].entry != 0; }

 private:
  struct Slot {
    uint32_t tag = 0;    // part of the key that is not its place
    uint32_t entry = 0;  // position in entries_ plus one; 0: free
  };
  struct Entry {
    RowKey key;
    uint32_t number = 0;
  };
  size_t slot_of(const RowKey& key) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half in use
  std::vector<Entry> entries_;
};

}  // namespace perfatlas
