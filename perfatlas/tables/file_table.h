// SPDX-License-Identifier: Apache-2.0
// The rows of one op in one file, by columns. A row takes some fifteen bytes, and a column can be looked at without the
// others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "perfatlas/schema/op_type.h"
#include "perfatlas/store/column_batch.h"
#include "perfatlas/tables/packed_column.h"

namespace perfatlas {

/// A row that counts, and what another one of the same file, kernel and key says.
struct Contradiction {
  uint64_t row = 0;     // of the table
  double other_ms = 0;  // the latency that does not count; the first of several
};

/// What a FileTable consists of; see its functions.
struct FileTableParts {
  const OpType* op = nullptr;
  size_t rows = 0;
  std::vector<PackedColumn> fields;
  PackedColumn kernels = PackedColumn(0);
  std::vector<RealColumn> measured;
  RealColumn power = RealColumn();
  std::vector<uint32_t> winners;  // rows that count when kernels do not matter; empty: all of them
  size_t repeats = 0;
  size_t left_out = 0;
  std::vector<Contradiction> contradictions;
  std::vector<std::string> unknown_columns;
};

class FileTable {
 public:
  /// REQUIRES: one column per field and measured column of the op, each of `rows` rows.
  explicit FileTable(FileTableParts parts) : parts_(std::move(parts)) {}

  const OpType& op() const { return *parts_.op; }
  size_t size() const { return parts_.rows; }
  int64_t value(size_t row, size_t field) const { return parts_.fields[field][row]; }
  FieldValues values(size_t row) const;
  const PackedColumn& field(size_t i) const { return parts_.fields[i]; }
  /// kernel_source as symbols.
  const PackedColumn& kernels() const { return parts_.kernels; }
  /// The measured columns summed after MeasuredColumn::to_ms.
  double latency_ms(size_t row) const {
    double sum = 0;
    for (size_t i = 0; i < parts_.measured.size(); ++i)
      sum += parts_.measured[i][row] * parts_.op->info.measured[i].to_ms;
    return sum;
  }
  /// One of them in its own unit.
  double measured(size_t row, size_t column) const { return parts_.measured[column][row]; }
  /// Watts; 0 where the file does not say.
  double power_w(size_t row) const { return parts_.power[row]; }

  /// Rows of the file that were dropped because another one of the same kernel has their key (TableMerge::Repeats).
  size_t repeats() const { return parts_.repeats; }
  /// Rows that count although a dropped one has another latency, one entry for each, by row.
  const std::vector<Contradiction>& contradictions() const { return parts_.contradictions; }
  /// Rows of this op's table that OpInfo::left_out or OpType::published excluded.
  size_t left_out() const { return parts_.left_out; }
  /// Columns of the file that the op does not know.
  const std::vector<std::string>& unknown_columns() const { return parts_.unknown_columns; }

  const FileTableParts& parts() const { return parts_; }

 private:
  FileTableParts parts_;
};

/// The rows of `op` among those of a file (by op_name and OpType::published), in file order, each key of
/// each kernel once. `name` stands for the file in errors. Throws Error "NAME: reason" or "NAME: row N: reason": a
/// required column missing or of the wrong type, an unknown value (an unknown dtype, say), a latency that is not
/// finite, negative, or 0 where that is no result, a repeated key where the op refuses that.
FileTable make_file_table(const OpType& op, const ColumnBatch& batch, const std::string& name);

}  // namespace perfatlas
