// SPDX-License-Identifier: Apache-2.0
// What aiconfigurator 0.12 knows of tables: their names, and the names of types in their columns.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// Whether aiconfigurator reads a table of this stem.
bool aic_reads_table(std::string_view stem);

/// The texts that aiconfigurator accepts in a column of types; empty: it is no such column.
std::span<const std::string_view> aic_type_names(std::string_view column);

/// Why aiconfigurator cannot read a row with these fields, or empty: "gemm_dtype float32 is unknown to aiconfigurator".
std::string why_unknown_to_aic(const Case& c);

}  // namespace perfatlas
