// SPDX-License-Identifier: Apache-2.0
// The rows of one op in one file, by columns. Values are positions in small dictionaries, so that a row takes some
// twenty bytes and a column can be looked at without the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/op_type.h"
#include "perfatlas/store/column_batch.h"
#include "perfatlas/tables/packed_column.h"

namespace perfatlas {

class FileTable {
 public:
  size_t size() const { return size_; }
  int64_t value(size_t row, size_t field) const { return fields_[field][row]; }
  const PackedColumn& field(size_t i) const { return fields_[i]; }
  const PackedColumn& kernels() const { return kernels_; }
  /// The measured columns summed after MeasuredColumn::to_ms.
  double latency_ms(size_t row) const;
  double measured(size_t row, size_t column) const { return measured_[column][row]; }
  /// Watts; 0 where the file does not say.
  double power_w(size_t row) const { return power_.empty() ? 0 : power_[row]; }

  /// Columns of the file that the op does not know.
  const std::vector<std::string>& unknown_columns() const { return unknown_columns_; }
  /// Rows that OpInfo::left_out or OpType::published excluded.
  size_t left_out() const { return left_out_; }

 private:
  friend class FileTableMaker;
  size_t size_ = 0;
  const OpType* op_ = nullptr;
  std::vector<PackedColumn> fields_;
  PackedColumn kernels_;
  std::vector<std::vector<double>> measured_;
  std::vector<double> power_;
  std::vector<std::string> unknown_columns_;
  size_t left_out_ = 0;
};

/// The rows of `op` among those of a file (by op_name and OpType::published), in file order. `name` stands for the
/// file in errors. Throws Error "NAME: reason" or "NAME: row N: reason": a required column missing or of the wrong
/// type, an unknown value (an unknown dtype, say), a latency that is not finite, negative, or 0 where that is no result.
FileTable make_file_table(const OpType& op, const ColumnBatch& batch, const std::string& name);

}  // namespace perfatlas
