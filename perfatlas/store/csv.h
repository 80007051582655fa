// SPDX-License-Identifier: Apache-2.0
// Tables as CSV: the staging files <table>.txt, and published tables of other tools. docs/formats.md has the bytes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/store/row.h"
#include "perfatlas/store/rows_to_write.h"

namespace perfatlas {

using RowSink = std::function<void(Row&&)>;

/// The header line without its newline.
std::string csv_header(const OpType& op);

/// One line without its newline; unknown values are empty cells. REQUIRES: row.c.op is set.
std::string csv_line(const Row& row);

/// A whole table: header, rows, each ended by "\n". REQUIRES: every row is of `op`.
std::string csv_table(const OpType& op, const RowsToWrite& rows);

/// Reads a table. Columns are found by name, so published tables without power or quality columns and with their
/// own order are read too; "\r\n", a UTF-8 byte order mark and empty lines at the end are accepted. Everything else
/// that is not exactly a table of this op is refused: Error "FILE:LINE: reason", one line, nothing of the file is used.
/// Refused: a wrong, repeated or missing column; too few or too many cells; a line without its newline (torn); text,
/// NaN, infinite, negative or zero latency; a case that op.why_invalid refuses; a case_id that does not match the
/// fields; quotes left open; NUL bytes; lines over 64 KiB; an empty file; a Git-LFS pointer in place of a table.
std::vector<Row> read_csv_table(const OpType& op, const std::string& path);

/// The same on text; `where` stands for the file in errors. `sink` may have seen rows before the refusal.
void parse_csv_table(const OpType& op, std::string_view text, const std::string& where, const RowSink& sink);

/// Replaces `path` atomically, block by block of rows. Throws Error when it cannot.
void write_csv_table(const OpType& op, const RowsToWrite& rows, const std::string& path);

/// The text is the pointer that Git LFS leaves in place of a file that was not fetched.
bool is_git_lfs_pointer(std::string_view text);

/// "FILE is a Git-LFS pointer ...": what is_git_lfs_pointer means to a reader, with the remedy.
std::string git_lfs_problem(const std::string& path);

}  // namespace perfatlas
