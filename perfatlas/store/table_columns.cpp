// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/store/cell_impl.h"

namespace perfatlas {
namespace {

using Reason = std::string;  // empty: accepted

std::string text_of(const Cell& cell) { return unknown(cell) ? std::string() : std::get<std::string>(cell); }

// ---- identity ----------------------------------------------------------------------------------------------------

template <std::string Row::*Member>
TableColumn identity_column(std::string_view name) {
  return {name,
          CellType::text,
          Presence::required,
          0,
          [](const Row& row, size_t) -> Cell { return row.*Member; },
          [](Row& row, size_t, const Cell& cell) -> Reason {
            row.*Member = text_of(cell);
            return {};
          }};
}

TableColumn op_name_column() {
  return {"op_name",
          CellType::text,
          Presence::required,
          0,
          [](const Row& row, size_t) -> Cell { return std::string(row.c.op->info.op_name); },
          [](Row& row, size_t, const Cell& cell) -> Reason {
            const std::string found = text_of(cell), wanted(row.c.op->info.op_name);
            return found == wanted ? Reason()
                                   : fmt::format("it is '{}', this table holds '{}'", found, wanted);
          }};
}

// ---- fields and measured columns -----------------------------------------------------------------------------------

CellType cell_type(ValueKind kind) {
  if (kind == ValueKind::integer) return CellType::integer;
  return kind == ValueKind::boolean ? CellType::boolean : CellType::text;
}

Cell get_field(const Row& row, size_t index) {
  const FieldType& field = row.c.op->fields[index];
  const int64_t value = row.c.values[index];
  if (field.kind == ValueKind::integer) return value;
  if (field.kind == ValueKind::boolean) return value != 0;
  return field.format(value);
}

Reason set_field_cell(Row& row, size_t index, const Cell& cell) {
  const FieldType& field = row.c.op->fields[index];
  if (unknown(cell) && field.kind != ValueKind::symbol) return "it is empty";
  std::optional<int64_t> value;
  if (field.kind == ValueKind::integer) {
    value = std::get<int64_t>(cell);
  } else if (field.kind == ValueKind::boolean) {
    value = std::get<bool>(cell);
  } else {
    const std::string text = text_of(cell);
    value = field.parse(text);
    if (!value) return fmt::format("'{}' is not {}", text, field.expected());
    if (field.column == "kernel_source" && row.kernel_source.empty()) row.kernel_source = text;
  }
  row.c.values[index] = *value;
  return {};
}

TableColumn field_column(const OpType& op, size_t index) {
  const FieldType& field = op.fields[index];
  return {field.column, cell_type(field.kind), field.absent ? Presence::optional : Presence::required, index,
          get_field,    set_field_cell};
}

Reason set_measured(Row& row, size_t index, const Cell& cell) {
  if (unknown(cell)) return "it is empty";
  const double value = std::get<double>(cell);
  if (!std::isfinite(value)) return fmt::format("{} is not a finite number", value);
  if (value < 0) return fmt::format("{} is negative", value);
  row.measured[index] = value;
  return {};
}

TableColumn measured_column(const OpType& op, size_t index) {
  return {op.info.measured[index].name,
          CellType::real,
          Presence::required,
          index,
          [](const Row& row, size_t i) -> Cell { return row.measured[i]; },
          set_measured};
}

// ---- power ---------------------------------------------------------------------------------------------------------

/// Published tables write 0 W where nothing was read; no running device draws none, so 0 is unknown.
template <std::optional<double> Row::*Member>
TableColumn power_column(std::string_view name) {
  return {name,
          CellType::real,
          Presence::power,
          0,
          [](const Row& row, size_t) -> Cell { return optional_cell(row.*Member); },
          [](Row& row, size_t, const Cell& cell) -> Reason {
            Reason reason = check_amount(cell);
            if (reason.empty() && !unknown(cell) && std::get<double>(cell) > 0)
              row.*Member = std::get<double>(cell);
            return reason;
          }};
}

}  // namespace

std::string_view name_of(CellType type) {
  switch (type) {
    case CellType::integer:
      return "int64";
    case CellType::real:
      return "double";
    case CellType::boolean:
      return "bool";
    case CellType::text:
      return "utf8";
  }
  return {};
}

std::vector<TableColumn> table_columns(const OpType& op) {
  const auto claimed = [&](std::string_view name) -> std::optional<size_t> {
    for (size_t i = 0; i < op.fields.size(); ++i)
      if (op.fields[i].column == name) return i;
    return std::nullopt;
  };
  const auto op_name = claimed("op_name"), kernel_source = claimed("kernel_source");
  std::vector<TableColumn> columns = {
      identity_column<&Row::framework>("framework"), identity_column<&Row::version>("version"),
      identity_column<&Row::device>("device"), op_name ? field_column(op, *op_name) : op_name_column(),
      kernel_source ? field_column(op, *kernel_source)
                    : identity_column<&Row::kernel_source>("kernel_source")};
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (i != op_name && i != kernel_source) columns.push_back(field_column(op, i));
  for (size_t i = 0; i < op.info.measured.size(); ++i) columns.push_back(measured_column(op, i));
  columns.push_back(power_column<&Row::power_w>("power"));
  columns.push_back(power_column<&Row::power_limit_w>("power_limit"));
  for (TableColumn& column : quality_columns()) columns.push_back(column);
  if (kernel_source) columns.push_back(kernel_column());
  return columns;
}

std::vector<size_t> match_header(const std::vector<TableColumn>& columns,
                                 const std::vector<std::string>& header, const std::string& where) {
  std::vector<size_t> positions;
  for (const std::string& name : header) {
    const auto at =
        std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
    if (at == columns.end())
      throw Error(fmt::format("{}: there is no column '{}' in this table", where, name));
    const size_t position = size_t(at - columns.begin());
    if (std::find(positions.begin(), positions.end(), position) != positions.end())
      throw Error(fmt::format("{}: column '{}' occurs twice", where, name));
    positions.push_back(position);
  }
  const auto has = [&](size_t i) {
    return std::find(positions.begin(), positions.end(), i) != positions.end();
  };
  const auto is_quality = [&](size_t i) { return columns[i].presence == Presence::quality; };
  const bool any_quality = std::any_of(positions.begin(), positions.end(), is_quality);
  for (size_t i = 0; i < columns.size(); ++i)
    if (!has(i) && (columns[i].presence == Presence::required || (any_quality && is_quality(i))))
      throw Error(fmt::format("{}: column '{}' is missing", where, columns[i].name));
  return positions;
}

std::vector<size_t> absent_columns(const std::vector<TableColumn>& columns,
                                   const std::vector<size_t>& positions) {
  std::vector<size_t> absent;
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].presence == Presence::optional &&
        std::find(positions.begin(), positions.end(), i) == positions.end())
      absent.push_back(i);
  return absent;
}

void fill_absent(const std::vector<TableColumn>& columns, const std::vector<size_t>& absent, Row& row) {
  for (const size_t i : absent)
    row.c.values[columns[i].index] = row.c.op->fields[columns[i].index].absent(row.c.values);
}

Row empty_row(const OpType& op) {
  Row row;
  row.c = {&op, op.defaults()};
  row.measured.assign(op.info.measured.size(), 0);
  return row;
}

std::string row_problem(const Row& row) {
  const OpType& op = *row.c.op;
  if (const std::string_view why = op.why_invalid(row.c.values); !why.empty())
    return fmt::format("invalid case: {}", why);
  if (!(latency_ms(row) > 0) && !op.info.zero_is_measured) return "latency is not positive";
  if (!row.quality) return {};
  if (row.quality->latency_p10_ms > row.quality->latency_p90_ms) return "latency_p10 is above latency_p90";
  if (row.quality->case_id != case_id(row.c))
    return fmt::format(
        "case_id is {} but the fields give {} for revision {} of {}: columns were swapped or edited, or the "
        "row is "
        "of another revision; collect it again",
        hex16(row.quality->case_id), hex16(case_id(row.c)), op.info.revision, op.info.id);
  return {};
}

}  // namespace perfatlas
