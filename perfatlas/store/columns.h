// SPDX-License-Identifier: Apache-2.0
// Tables of any op, or of none, as columns.
#pragma once

#include <string>
#include <string_view>

#include "perfatlas/store/column_batch.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {

/// The columns of a file whose content is `bytes`; `where` stands for it in errors. Columns of a CSV file are integer,
/// real, or text: the first that all of their known cells are; an empty cell is unknown. Throws Error: a Git-LFS
/// pointer, a file that is not of the format, torn or damaged; the Parquet plug-in missing.
ColumnBatch parse_columns(TableFormat format, std::string_view bytes, const std::string& where);

}  // namespace perfatlas
