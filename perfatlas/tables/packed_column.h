// SPDX-License-Identifier: Apache-2.0
// Columns of few distinct integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace perfatlas {

/// A column of integers as codes of 0, 1, 2 or 4 bytes (0: one value everywhere) into their distinct values.
class PackedColumn {
 public:
  /// The same value in every row.
  explicit PackedColumn(int64_t everywhere = 0) : dictionary_{everywhere} {}
  explicit PackedColumn(std::span<const int64_t> values);

  int64_t operator[](size_t row) const { return dictionary_[code(row)]; }
  /// Position in dictionary().
  uint32_t code(size_t row) const {
    switch (width_) {
      case 1:
        return static_cast<const uint8_t*>(codes_)[row];
      case 2:
        return static_cast<const uint16_t*>(codes_)[row];
      case 4:
        return static_cast<const uint32_t*>(codes_)[row];
      default:
        return 0;
    }
  }
  /// Distinct values in order of first appearance; never empty.
  std::span<const int64_t> dictionary() const { return dictionary_; }
  /// Bytes of one code.
  int width() const { return width_; }

 private:
  std::vector<int64_t> dictionary_;
  int width_ = 0;
  const void* codes_ = nullptr;          // one per row
  std::shared_ptr<const void> storage_;  // what codes_ points into
};

}  // namespace perfatlas
