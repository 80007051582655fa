// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/table_fields.h"

#include "perfatlas/base/error.h"

namespace perfatlas::aic {

TableFields::TableFields(const TableRows& rows, std::vector<std::string_view> columns) : rows_(&rows) {
  for (const std::string_view column : columns) {
    const std::optional<size_t> field = rows.op().find_field(column);
    PERFATLAS_ASSERT(field.has_value());
    fields_.push_back(*field);
  }
}

std::optional<int64_t> TableFields::value_of(size_t column, std::string_view text) const {
  return type(column).parse(text);
}

std::string TableFields::text_of(size_t column, int64_t value) const { return type(column).format(value); }

std::optional<QuantMode> TableFields::mode_of(size_t column, int64_t value) const {
  return quant_mode(text_of(column, value));
}

KeyPart TableFields::part(size_t column) const {
  const bool number = type(column).kind == ValueKind::integer;
  return {type(column).column, number ? nullptr : type(column).format};
}

}  // namespace perfatlas::aic
