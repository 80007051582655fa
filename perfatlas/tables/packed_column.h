// SPDX-License-Identifier: Apache-2.0
// Columns that take few bytes a row, in memory of their own or in a mapped file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace perfatlas {

/// Bytes that live as long as `owner`.
struct SharedBytes {
  const void* data = nullptr;
  size_t bytes = 0;
  std::shared_ptr<const void> owner;
};

/// A column of integers as codes of 0, 1, 2 or 4 bytes (0: one value everywhere) into their distinct values.
class PackedColumn {
 public:
  /// The same value in every row.
  explicit PackedColumn(int64_t everywhere = 0) : dictionary_{everywhere} {}
  explicit PackedColumn(std::span<const int64_t> values);
  /// REQUIRES: `codes` holds codes of `width` bytes, aligned to it, all below dictionary.size(); dictionary not empty.
  PackedColumn(std::vector<int64_t> dictionary, int width, SharedBytes codes);

  int64_t operator[](size_t row) const { return dictionary_[code(row)]; }
  /// Position in dictionary().
  uint32_t code(size_t row) const {
    switch (width_) {
      case 1:
        return static_cast<const uint8_t*>(codes_.data)[row];
      case 2:
        return static_cast<const uint16_t*>(codes_.data)[row];
      case 4:
        return static_cast<const uint32_t*>(codes_.data)[row];
      default:
        return 0;
    }
  }
  /// Distinct values in order of first appearance; never empty.
  std::span<const int64_t> dictionary() const { return dictionary_; }
  /// Bytes of one code.
  int width() const { return width_; }
  const SharedBytes& codes() const { return codes_; }

 private:
  std::vector<int64_t> dictionary_;
  int width_ = 0;
  SharedBytes codes_;
};

/// A column of doubles, kept as floats where that loses nothing (most measured times were floats once), or none.
class RealColumn {
 public:
  /// No column: 0 in every row.
  RealColumn() = default;
  explicit RealColumn(std::span<const double> values);
  /// REQUIRES: `values` holds floats (width 4) or doubles (width 8), aligned; width 0: no column.
  RealColumn(int width, SharedBytes values) : width_(width), values_(std::move(values)) {}

  double operator[](size_t row) const {
    if (width_ == sizeof(float)) return static_cast<const float*>(values_.data)[row];
    return width_ == 0 ? 0 : static_cast<const double*>(values_.data)[row];
  }
  /// Bytes of one value; 0: no column.
  int width() const { return width_; }
  const SharedBytes& values() const { return values_; }

 private:
  int width_ = 0;
  SharedBytes values_;
};

}  // namespace perfatlas
