// SPDX-License-Identifier: Apache-2.0
// Rows that a table is written from, so that large tables need not stand in memory as rows.
#pragma once

#include <concepts>
#include <functional>
#include <span>
#include <utility>

#include "perfatlas/store/row.h"

namespace perfatlas {

class RowsToWrite {
 public:
  /// Rows that are there. REQUIRES: they outlive this.
  template <class Rows>
  requires std::convertible_to<const Rows&, std::span<const Row>> RowsToWrite(const Rows& rows)
      : rows_(rows), size_(rows_.size()) {}  // NOLINT(google-explicit-constructor)

  /// Rows 0 .. size-1 that `make` writes into the row it is given. REQUIRES: `make` may be called from many threads.
  RowsToWrite(size_t size, std::function<void(size_t i, Row& row)> make)
      : size_(size), make_(std::move(make)) {}

  size_t size() const { return size_; }
  /// A row, where it is or in `memory`, which later calls may use again. REQUIRES: i < size().
  const Row& at(size_t i, Row& memory) const {
    if (!make_) return rows_[i];
    make_(i, memory);
    return memory;
  }

 private:
  std::span<const Row> rows_;
  size_t size_ = 0;
  std::function<void(size_t, Row&)> make_;
};

}  // namespace perfatlas
