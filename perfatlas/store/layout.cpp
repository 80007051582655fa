// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <tuple>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

[[noreturn]] void fail_to_list(const fs::path& folder, const std::error_code& error) {
  throw Error(io_error_text("list", folder.string(), error.value()));
}

/// The entries of a folder that satisfy `wanted`, sorted by name.
template <class Wanted>
std::vector<fs::path> entries(const fs::path& folder, const Wanted& wanted) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (wanted(*it)) found.push_back(it->path());
  if (error) fail_to_list(folder, error);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  return entries(folder, [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    return !name.starts_with('.') && name != "history" && entry.is_directory(ignored);
  });
}

std::vector<fs::path> table_paths(const fs::path& folder) {
  return entries(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_regular_file(ignored) && table_file_of(entry.path().string()).has_value();
  });
}

bool holds_tables(const fs::path& folder) {
  return file_exists((folder / kCollectionMetaFile).string()) || !table_paths(folder).empty();
}

/// The folders below one first-level folder: {backend}/{version} or {family}/{backend}/{version}.
void add_folders(const std::string& system, const fs::path& first, std::vector<TableFolder>& found) {
  for (const fs::path& second : folders_in(first)) {
    if (holds_tables(second)) {
      found.push_back({system, "", first.filename().string(), second.filename().string(), second.string()});
      continue;
    }
    for (const fs::path& third : folders_in(second))
      if (holds_tables(third))
        found.push_back({system, first.filename().string(), second.filename().string(),
                         third.filename().string(), third.string()});
  }
}

}  // namespace

std::string data_root(std::string_view given) {
  if (!given.empty()) return std::string(given);
  if (const std::string named = environment("PERFATLAS_DATA"); !named.empty()) return named;
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/perfatlas";
  if (const std::string home = environment("HOME"); !home.empty()) return home + "/.local/share/perfatlas";
  throw UsageError("no data folder is known: give --data FOLDER or set PERFATLAS_DATA");
}

std::vector<TableFolder> list_table_folders(const std::string& root) {
  std::error_code ignored;
  if (!fs::exists(root, ignored))
    throw Error(fmt::format(
        "{}: there is no such data folder; perfatlas collect and place make one (--data names another), and "
        "query --systems-path asks published tables",
        root));
  std::vector<TableFolder> found;
  for (const fs::path& system : folders_in(root))
    for (const fs::path& first : folders_in(system)) add_folders(system.filename().string(), first, found);
  std::sort(found.begin(), found.end(), [](const TableFolder& a, const TableFolder& b) {
    return std::tie(a.system, a.backend, a.version, a.family) <
           std::tie(b.system, b.backend, b.version, b.family);
  });
  return found;
}

std::vector<TableFile> list_tables(const TableFolder& folder) {
  (void)read_collection_meta(folder.path);  // refuses a newer format
  std::vector<TableFile> tables;
  for (const fs::path& path : table_paths(folder.path)) {
    const TableFile file = *table_file_of(path.string());
    if (!tables.empty() && tables.back().table == file.table) continue;  // ".parquet" sorts before ".txt"
    tables.push_back(file);
  }
  return tables;
}

TableFolder plain_folder(const std::string& root, std::string_view system, std::string_view backend,
                         std::string_view version) {
  PERFATLAS_ASSERT(valid_folder_name(system) && valid_folder_name(backend) && valid_folder_name(version));
  return {std::string(system), "", std::string(backend), std::string(version),
          fmt::format("{}/{}/{}/{}", root, system, backend, version)};
}

bool valid_folder_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name != "history" &&
         std::all_of(name.begin(), name.end(), [](char c) { return c != '/' && std::isgraph(uint8_t(c)); });
}

std::string system_description_path(const std::string& root, std::string_view system) {
  return fmt::format("{}/{}/system.json", root, system);
}

std::vector<Row> read_table(const OpType& op, const TableFile& file) {
  return file.format == TableFormat::parquet ? read_parquet_table(op, file.path)
                                             : read_csv_table(op, file.path);
}

void read_table(const OpType& op, const TableFile& file, const std::function<void(Row&&)>& sink) {
  if (file.format == TableFormat::parquet)
    read_parquet_table(op, file.path, sink);
  else
    parse_csv_table(op, read_file(file.path), file.path, sink);
}

std::optional<TableFile> table_file_of(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  const std::string_view stem = name.substr(0, name.rfind('.')), extension = name.substr(stem.size());
  if (!stem.ends_with("_perf") || stem.starts_with('.')) return std::nullopt;
  if (extension == ".parquet") return TableFile{std::string(stem), TableFormat::parquet, path};
  if (extension == ".txt") return TableFile{std::string(stem), TableFormat::csv, path};
  return std::nullopt;
}

}  // namespace perfatlas
