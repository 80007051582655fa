// SPDX-License-Identifier: Apache-2.0
// Where placed tables lie: DATA/{system}/{backend}/{version}/<table>.parquet or .txt, and, as others publish them,
// DATA/{system}/{family}/{backend}/{version}/. DATA/{system}/system.json describes the machine.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/store/row.h"

namespace perfatlas {

/// The data folder: `given` (--data) unless empty, else $PERFATLAS_DATA, else $XDG_DATA_HOME/perfatlas, else
/// $HOME/.local/share/perfatlas. Need not exist. Throws UsageError when nothing names one.
std::string data_root(std::string_view given = {});

/// One folder of tables.
struct TableFolder {
  std::string system;
  std::string family;  // empty in the plain layout
  std::string backend;
  std::string version;
  std::string path;
  bool operator==(const TableFolder&) const = default;
};

enum class TableFormat { parquet, csv };

struct TableFile {
  std::string table;  // stem: OpInfo::table
  TableFormat format = TableFormat::parquet;
  std::string path;
  bool operator==(const TableFile&) const = default;
};

/// Every table folder below `root`, sorted by system, backend, version, family. A folder counts when it holds a
/// table or a collection_meta.yaml; history/ and dot folders are not looked at. Empty when `root` has none; throws
/// Error when `root` does not exist or cannot be read.
std::vector<TableFolder> list_table_folders(const std::string& root);

/// The tables of one folder, sorted; where a table lies there in both formats, the Parquet file counts. Throws
/// Error when the folder's sidecar is of a newer format revision.
std::vector<TableFile> list_tables(const TableFolder& folder);

/// Where `place` puts a table: plain layout. REQUIRES: the three names are valid_folder_name.
TableFolder plain_folder(const std::string& root, std::string_view system, std::string_view backend,
                         std::string_view version);

/// Usable as one folder level: not empty, no '/', no leading dot, printable.
bool valid_folder_name(std::string_view name);

/// The system description of a system, whether or not it exists.
std::string system_description_path(const std::string& root, std::string_view system);

/// Reads a table in the file's format (read_csv_table, read_parquet_table).
std::vector<Row> read_table(const OpType& op, const TableFile& file);

/// The same row by row; `sink` may have seen rows before the refusal.
void read_table(const OpType& op, const TableFile& file, const std::function<void(Row&&)>& sink);

/// The stem and format that a file name says, or nothing when it is not a table's.
std::optional<TableFile> table_file_of(const std::string& path);

}  // namespace perfatlas
