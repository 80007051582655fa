// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "perfatlas/store/column_batch.h"

namespace perfatlas {

/// parse_columns of a Parquet file.
ColumnBatch parse_parquet_columns(std::string_view bytes, const std::string& where);

}  // namespace perfatlas
