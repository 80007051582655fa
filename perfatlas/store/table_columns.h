// SPDX-License-Identifier: Apache-2.0
// The columns of an op's table. CSV, Parquet and the schema lock all follow from this one list.
//
// Order: framework, version, device, op_name, kernel_source, the op's fields, its measured columns, power,
// power_limit, then perfatlas's own quality columns. A field that claims op_name or kernel_source (schema/op.h)
// stands in place of that identity column; where kernel_source is claimed, the quality columns end with `kernel`, the
// kernel that really ran (rows of tables without it: the claiming field's text).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "perfatlas/store/row.h"

namespace perfatlas {

enum class CellType { integer, real, boolean, text };

/// "int64", "double", "bool", "utf8".
std::string_view name_of(CellType type);

/// One value of a table; monostate: unknown (an empty CSV cell, a Parquet null).
using Cell = std::variant<std::monostate, int64_t, double, bool, std::string>;

enum class Presence {
  required,  // every table has it
  optional,  // published tables may lack it (Field::absent_is)
  power,     // absent from most published tables
  quality,   // perfatlas's own: all of them or none
};

struct TableColumn {
  std::string_view name;
  CellType type = CellType::text;
  Presence presence = Presence::required;
  size_t index = 0;  // of the field or measured column behind it
  /// The cell of a row; never of another type than `type`.
  Cell (*get)(const Row&, size_t index) = nullptr;
  /// Puts a cell into a row and returns why it is refused, or nothing. REQUIRES: `cell` is of `type` or unknown,
  /// row.c.op is set and row.measured has its size.
  std::string (*set)(Row&, size_t index, const Cell& cell) = nullptr;
};

/// In file order.
std::vector<TableColumn> table_columns(const OpType& op);

/// The columns that a file has, as positions in table_columns(op).
/// Throws Error, its text starting with `where`, when `header` has an unknown or repeated column, lacks a required
/// one, or has only some of the quality columns. Any order is accepted: published tables differ in theirs.
std::vector<size_t> match_header(const std::vector<TableColumn>& columns,
                                 const std::vector<std::string>& header, const std::string& where);

/// The optional columns that a file with columns `positions` (of match_header) lacks.
std::vector<size_t> absent_columns(const std::vector<TableColumn>& columns,
                                   const std::vector<size_t>& positions);

/// Gives the fields behind `absent` (of absent_columns) their declared values. REQUIRES: all cells that the file has
/// are in the row.
void fill_absent(const std::vector<TableColumn>& columns, const std::vector<size_t>& absent, Row& row);

/// A row without content, ready for TableColumn::set.
Row empty_row(const OpType& op);

/// Why a row that has been filled cell by cell is refused as a whole, or nothing: a latency that is not positive
/// (OpInfo::zero_is_measured: negative), an invalid case, half-filled quality columns, a case_id of other fields.
std::string row_problem(const Row& row);

}  // namespace perfatlas
