// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "perfatlas/store/table_columns.h"

namespace perfatlas {

inline bool unknown(const Cell& cell) { return std::holds_alternative<std::monostate>(cell); }

inline Cell optional_cell(const std::optional<double>& value) { return value ? Cell(*value) : Cell(); }

/// Why a cell of a quantity that cannot be negative is refused, or nothing. REQUIRES: a real or unknown cell.
std::string check_amount(const Cell& cell);

/// perfatlas's own columns, `samples` first: it says whether a row has quality figures at all.
std::vector<TableColumn> quality_columns();

/// One more of them, for tables whose kernel_source column is claimed by a field: the kernel that really ran.
TableColumn kernel_column();

}  // namespace perfatlas
