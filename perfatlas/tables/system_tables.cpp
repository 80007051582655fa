// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/system_tables.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "perfatlas/base/text.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/version_order.h"
#include "perfatlas/tables/reuse.h"

namespace perfatlas {
namespace {

constexpr std::string_view kIncompleteFile = "INCOMPLETE.txt";
constexpr std::string_view kOldMarkerFile = "SHARED_LAYER_REUSE.txt";

bool looked_at(std::string_view name) { return !name.empty() && name[0] != '.' && name != "history"; }

/// Family, back end and version of a file's folder, or nothing: the numbers of folders tell the layouts apart.
std::optional<VersionFolder> folder_of(std::string_view path_below, const std::string& top) {
  const std::vector<std::string_view> parts = split(path_below, '/');
  if (parts.size() != 3 && parts.size() != 4) return std::nullopt;
  if (!std::all_of(parts.begin(), parts.end(), looked_at)) return std::nullopt;
  VersionFolder folder;
  const size_t backend = parts.size() - 3;
  if (backend == 1) folder.family = parts[0];
  folder.backend = parts[backend];
  folder.version = parts[backend + 1];
  folder.path = top + std::string(path_below.substr(0, path_below.rfind('/')));
  return folder;
}

void add_file(const FileEntry& entry, VersionFolder& folder) {
  const std::string_view name = std::string_view(entry.path).substr(entry.path.rfind('/') + 1);
  if (name == kCollectionMetaFile) folder.has_meta = true;
  if (name == kReuseFile) folder.has_reuse = true;
  if (name == kOldMarkerFile) folder.has_old_marker = true;
  if (name == kIncompleteFile) folder.incomplete = true;
  const auto table = table_file_of(entry.path);
  if (!table) return;
  const auto same = std::find_if(folder.tables.begin(), folder.tables.end(),
                                 [&](const TableFile& other) { return other.table == table->table; });
  if (same == folder.tables.end())
    folder.tables.push_back(*table);
  else if (table->format == TableFormat::parquet)
    *same = *table;
}

}  // namespace

const TableFile* VersionFolder::find(std::string_view table) const {
  if (incomplete) return nullptr;
  const auto found =
      std::find_if(tables.begin(), tables.end(), [&](const TableFile& file) { return file.table == table; });
  return found == tables.end() ? nullptr : &*found;
}

SystemTables::SystemTables(const FileTree& files, const std::string& folder) {
  const std::string top = folder + "/";
  std::map<std::string, VersionFolder> by_path;
  for (const FileEntry& entry : files.list(folder)) {
    const auto found = folder_of(std::string_view(entry.path).substr(top.size()), top);
    if (!found) continue;
    add_file(entry, by_path.try_emplace(found->path, *found).first->second);
  }
  for (auto& [path, found] : by_path) {
    found.incomplete &= !found.has_meta;
    std::sort(found.tables.begin(), found.tables.end(),
              [](const TableFile& a, const TableFile& b) { return a.table < b.table; });
    if (found.has_meta || found.has_reuse || found.has_old_marker || !found.tables.empty())
      folders_.push_back(std::move(found));
  }
  std::sort(folders_.begin(), folders_.end(), [](const VersionFolder& a, const VersionFolder& b) {
    const auto order = [](const VersionFolder& f) {
      return std::tuple(f.family.empty(), std::string_view(f.family), std::string_view(f.backend),
                        std::string_view(f.version));
    };
    return order(a) < order(b);
  });
}

std::vector<const VersionFolder*> SystemTables::of(std::string_view backend, std::string_view version) const {
  std::vector<const VersionFolder*> found;
  for (const VersionFolder& folder : folders_)
    if (folder.backend == backend && folder.version == version) found.push_back(&folder);
  return found;
}

const VersionFolder* SystemTables::holder(std::string_view table, std::string_view backend,
                                          std::string_view version) const {
  for (const VersionFolder* const folder : of(backend, version))
    if (folder->find(table) != nullptr) return folder;
  return nullptr;
}

std::vector<std::string> SystemTables::backends() const {
  std::set<std::string> names;
  for (const VersionFolder& folder : folders_) names.insert(folder.backend);
  return {names.begin(), names.end()};
}

std::vector<std::string> SystemTables::versions(std::string_view backend) const {
  std::set<std::string> names;
  for (const VersionFolder& folder : folders_)
    if (folder.backend == backend && !folder.incomplete &&
        (folder.has_reuse || folder.has_old_marker || !folder.tables.empty()))
      names.insert(folder.version);
  std::vector<std::string> sorted(names.begin(), names.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const std::string& a, const std::string& b) { return older_version(a, b); });
  return sorted;
}

std::vector<std::string> SystemTables::families_of(std::string_view table) const {
  std::set<std::string> names;
  for (const VersionFolder& folder : folders_)
    if (folder.find(table) != nullptr) names.insert(folder.family);
  return {names.begin(), names.end()};
}

std::vector<const OpType*> ops_of_table(const OpRegistry& ops, std::string_view table) {
  std::vector<const OpType*> found;
  for (const auto& op : ops.ops())
    if (op->published_table() == table || op->info.second_table == table) found.push_back(op.get());
  return found;
}

}  // namespace perfatlas
