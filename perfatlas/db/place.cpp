// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/db/place_impl.h"
#include "perfatlas/store/version_order.h"

namespace perfatlas {
namespace {

using Folders = std::vector<const TableFolder*>;

bool holds(const TableFolder& folder, std::string_view table) {
  std::error_code ignored;
  const std::filesystem::path stem = std::filesystem::path(folder.path) / table;
  return std::filesystem::exists(stem.string() + ".parquet", ignored) ||
         std::filesystem::exists(stem.string() + ".txt", ignored);
}

std::vector<std::string> names(const Folders& folders, std::string TableFolder::*member) {
  std::vector<std::string> found;
  for (const TableFolder* folder : folders) found.push_back(folder->*member);
  return found;
}

/// The folders whose `member` is `wanted` (all when it is empty). Throws UsageError when there are none.
Folders only(const Folders& folders, std::string TableFolder::*member, const std::string& wanted,
             std::string_view what, const std::string& where) {
  if (wanted.empty()) return folders;
  Folders found;
  for (const TableFolder* folder : folders)
    if (folder->*member == wanted) found.push_back(folder);
  if (!found.empty()) return found;
  if (folders.empty()) throw UsageError(fmt::format("{} has no tables, so no {} {}", where, what, wanted));
  throw UsageError(
      fmt::format("{} has no {} {}; known: {}", where, what, wanted, known_words(names(folders, member))));
}

std::string tables_of(const Folders& folders) {
  std::vector<std::string> tables;
  for (const TableFolder* folder : folders)
    for (const TableFile& file : list_tables(*folder)) tables.push_back(file.table);
  return tables.empty() ? "nothing" : known_words(tables);
}

const TableFolder& latest(const Folders& folders) {
  return **std::max_element(folders.begin(), folders.end(), [](const TableFolder* a, const TableFolder* b) {
    return older_version(a->version, b->version);
  });
}

}  // namespace

std::string known_words(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return join_words({words.begin(), words.end()});
}

Place find_place(const std::vector<TableFolder>& folders, const OpType& op, const QueryOptions& options) {
  Place place{.system = options.system};
  Folders candidates;
  for (const TableFolder& folder : folders)
    if (folder.system == options.system) candidates.push_back(&folder);
  std::string where = options.system;
  candidates = only(candidates, &TableFolder::backend, options.backend, "back end", where);
  if (!options.backend.empty()) where += "/" + options.backend;
  candidates = only(candidates, &TableFolder::version, options.version, "version", where);
  if (!options.version.empty()) where += "/" + options.version;

  Folders holders;
  for (const TableFolder* folder : candidates)
    if (holds(*folder, op.info.table)) holders.push_back(folder);
  if (holders.empty()) {
    place.backend = options.backend;
    place.version = options.version;
    place.missing_reason =
        fmt::format("no table {} in {}; tables there: {}", op.info.table, where, tables_of(candidates));
    return place;
  }
  for (const TableFolder* folder : holders)
    if (folder->backend != holders[0]->backend)
      throw UsageError(fmt::format("{} has {} rows of the back ends {}; say which with --backend", where,
                                   op.info.id, known_words(names(holders, &TableFolder::backend))));
  const TableFolder& chosen = latest(holders);
  place.backend = chosen.backend;
  place.version = chosen.version;
  std::erase_if(candidates, [&](const TableFolder* folder) { return folder->backend != chosen.backend; });
  if (const TableFolder& newest = latest(candidates); older_version(chosen.version, newest.version))
    place.notes.push_back(
        fmt::format("{} {} is newer but has no table {}", chosen.backend, newest.version, op.info.table));
  for (const TableFile& file : list_tables(chosen))
    if (file.table == op.info.table) place.file = file;
  PERFATLAS_ASSERT(place.file.has_value());
  return place;
}

}  // namespace perfatlas
