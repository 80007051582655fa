// SPDX-License-Identifier: Apache-2.0
// Tables as Parquet (zstd). Arrow lives in a plug-in, libperfatlas_parquet.so, that is opened on first use, so that
// programs which never touch Parquet start at once and need no Arrow. It is looked for at $PERFATLAS_PARQUET (a
// file), then beside the executable, in ../lib and ../lib/perfatlas of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "perfatlas/store/row.h"
#include "perfatlas/store/rows_to_write.h"

namespace perfatlas {

/// Reads a table: columns by name, strings plain, large or dictionary-encoded, integers of any width. Published
/// tables without power or quality columns are read too. Throws Error "FILE: reason" or "FILE: row N: reason" for
/// everything that read_csv_table refuses, for a file of another op or revision, and for one that is truncated or
/// damaged; throws Error naming the places searched when the plug-in is missing.
std::vector<Row> read_parquet_table(const OpType& op, const std::string& path);

/// The same row by row; `sink` may have seen rows before the refusal.
void read_parquet_table(const OpType& op, const std::string& path, const std::function<void(Row&&)>& sink);

/// Replaces `path` atomically: columns in the order of table_columns(op), integers int64, reals double, text utf8,
/// unknown values null; one row group per 1,048,576 rows; op and revision in the file's metadata.
/// REQUIRES: every row is of `op`. Throws Error when it cannot be written or the plug-in is missing.
void write_parquet_table(const OpType& op, const RowsToWrite& rows, const std::string& path);

/// The same as others publish tables: no quality columns, no metadata of this program, and no column that has a value
/// in no row.
void write_published_table(const OpType& op, const RowsToWrite& rows, const std::string& path);

/// The plug-in can be opened; else the reason is in `why_not`.
bool parquet_available(std::string& why_not);

}  // namespace perfatlas
