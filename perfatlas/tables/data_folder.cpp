// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/data_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/tables/aic_system.h"
#include "perfatlas/tables/kept_files.h"
#include "perfatlas/tables/root_location_impl.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

void add_system(const std::string& system, const std::string& folder, DataFolder& found) {
  const SystemTables tables(*found.files, folder);
  for (const VersionFolder& version : tables.folders())
    for (const TableFile& file : version.tables)
      found.tables.push_back({system, version.backend, version.version, version.family, file});
}

DataFolder open_published(RootLocation location) {
  DataFolder found{std::move(location.files), {}};
  for (const std::string& system : location.system_names) {
    const std::string file = location.folders.systems + system + ".yaml";
    const AicSystem described = parse_aic_system(found.files->read(file), system, found.files->name_of(file));
    add_system(system, location.folders.systems + described.data_dir, found);
  }
  return found;
}

DataFolder open_placed(const std::string& source) {
  DataFolder found{open_folder(source), {}};
  std::vector<std::string> systems;
  for (const fs::directory_entry& entry : fs::directory_iterator(source))
    if (entry.is_directory()) systems.push_back(entry.path().filename().string());
  std::sort(systems.begin(), systems.end());
  for (const std::string& system : systems) add_system(system, system, found);
  return found;
}

}  // namespace

DataFolder open_data_folder(const std::string& source) {
  std::optional<RootLocation> published = find_root(source, default_table_cache());
  DataFolder found = published ? open_published(std::move(*published)) : open_placed(source);
  if (found.tables.empty()) throw UsageError(fmt::format("{}: there are no tables in it", source));
  return found;
}

}  // namespace perfatlas
