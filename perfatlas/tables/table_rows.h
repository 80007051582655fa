// SPDX-License-Identifier: Apache-2.0
// The rows of one op as a query sees them: those of several files, merged. Immutable and columnar.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/schema/op_type.h"
#include "perfatlas/tables/file_table.h"
#include "perfatlas/tables/table_source.h"

namespace perfatlas {

/// One file that gives rows.
struct RowSource {
  TableSource source;
  size_t rows = 0;      // of the file, for this op
  size_t used = 0;      // of these, kept after merging
  size_t filtered = 0;  // of these, not of an allowed kernel, or a repeated key
};

/// A source and what it holds for the op.
struct SourceFile {
  TableSource source;
  std::shared_ptr<const FileTable> table;
};

/// Rows are in file order, files in the order of their precedence. Of rows with one key (TableMerge) the first file's
/// counts; within a file TableMerge::Repeats decides. The key: the exact fields (keyed_by applied), the coordinates
/// of the axes, the distinguishing fields and, where TableMerge::by_kernel says so, the kernel.
class TableRows {
 public:
  /// `files` in order of precedence. Throws Error naming the file where a key repeats and the op refuses that.
  /// REQUIRES: every file is of `op`.
  TableRows(const OpType& op, const std::vector<SourceFile>& files, Hash128 origin = {});

  /// Which rows of which file count, as bytes for a file.
  std::string merged_bytes() const;
  /// The same rows from merged_bytes() of the same files in the same state, without comparing keys. `file_of` gives the
  /// table of a source and is called for those alone that give rows. Nothing when the bytes do not fit.
  static std::optional<TableRows> of_merged(
      const OpType& op, const std::vector<TableSource>& sources, Hash128 origin, const SharedBytes& merged,
      const std::function<std::shared_ptr<const FileTable>(const TableSource&)>& file_of);

  const OpType& op() const { return *op_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// All fields of a row. 100 ns; loops over single fields use value().
  FieldValues values(size_t row) const;
  /// One field of a row.
  int64_t value(size_t row, size_t field) const {
    const Place place = place_of(row);
    return place.file->value(place.row, field);
  }
  /// Milliseconds: the measured columns summed (MeasuredColumn::to_ms).
  double latency_ms(size_t row) const {
    const Place place = place_of(row);
    return place.file->latency_ms(place.row);
  }
  /// One measured column in its own unit.
  double measured(size_t row, size_t column) const;
  /// Watts; 0 where the file does not say.
  double power_w(size_t row) const {
    const Place place = place_of(row);
    return place.file->power_w(place.row);
  }
  /// kernel_source; the empty symbol where the file has none.
  Symbol kernel(size_t row) const;
  /// Position in sources(): which file the row is from.
  size_t source(size_t row) const;

  /// What another row of the same file, kernel and key says, which does not count (FileTable::contradictions); nothing
  /// when none says something else.
  std::optional<double> contradicting_ms(size_t row) const;

  const std::vector<RowSource>& sources() const { return sources_; }

  /// Names the state of all that the rows and the machine's description were read from: what was learnt from rows of
  /// one origin holds for others of it. Zeros: unknown.
  const Hash128& origin() const { return origin_; }

 private:
  struct Part {
    std::shared_ptr<const FileTable> file;
    std::vector<uint32_t> rows;  // of the file; empty: all of them
    size_t first = 0;            // row number of its first row
    size_t count = 0;
    size_t source = 0;
  };
  struct Place {
    const FileTable* file;
    size_t row;
  };
  TableRows(const OpType& op, Hash128 origin) : op_(&op), origin_(origin) {}
  /// `rows`: of the file; empty: all of them.
  void add_part(std::shared_ptr<const FileTable> file, std::vector<uint32_t> rows, size_t count);
  const Part& part_of(size_t row) const {
    PERFATLAS_ASSERT(row < size_);
    size_t part = parts_.size() - 1;
    while (parts_[part].first > row) --part;
    return parts_[part];
  }
  Place place_of(size_t row) const {
    const Part& part = part_of(row);
    const size_t offset = row - part.first;
    return {part.file.get(), part.rows.empty() ? offset : part.rows[offset]};
  }

  const OpType* op_;
  std::vector<Part> parts_;
  std::vector<RowSource> sources_;
  Hash128 origin_;
  size_t size_ = 0;
};

}  // namespace perfatlas
