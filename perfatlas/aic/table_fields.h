// SPDX-License-Identifier: Apache-2.0
// Columns of a table by name.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "perfatlas/aic/quant_mode.h"
#include "perfatlas/aic/table_index.h"
#include "perfatlas/tables/table_rows.h"

namespace perfatlas::aic {

/// The chosen columns of an op's table, as integers (FieldValues). REQUIRES: the op has them; the rows outlive this.
class TableFields {
 public:
  TableFields(const TableRows& rows, std::vector<std::string_view> columns);

  int64_t operator()(uint32_t row, size_t column) const { return rows_->value(row, fields_[column]); }
  /// How a text is stored in a column; nothing when the column cannot hold it.
  std::optional<int64_t> value_of(size_t column, std::string_view text) const;
  std::string text_of(size_t column, int64_t value) const;
  /// The quantisation mode that a stored value stands for.
  std::optional<QuantMode> mode_of(size_t column, int64_t value) const;
  /// For messages.
  KeyPart part(size_t column) const;

 private:
  const FieldType& type(size_t column) const { return rows_->op().fields[fields_[column]]; }
  const TableRows* rows_;
  std::vector<size_t> fields_;
};

}  // namespace perfatlas::aic
