// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/tables/file_tree.h"
#include "perfatlas/tables/root_folders.h"

namespace perfatlas {

/// Where a source keeps what.
struct RootLocation {
  std::unique_ptr<FileTree> files;
  RootFolders folders;
  std::vector<std::string> system_names;  // sorted
  std::vector<FileEntry> licences;        // licence and attribution files
  std::string release;                    // "aiconfigurator-core 0.12.0"; empty: the source does not say
};

/// In a folder that an import has not finished.
inline constexpr const char* kImportIncompleteFile = "IMPORT_INCOMPLETE";

/// A wheel, a systems folder, or a folder that holds one; nothing when a folder has no descriptions. `cache`: see
/// open_zip.
/// Throws UsageError when `source` does not exist, Error when it is no wheel or one of another release.
std::optional<RootLocation> find_root(const std::string& source, const std::string& cache);

/// The same; throws UsageError naming what was looked for.
RootLocation locate_root(const std::string& source, const std::string& cache);

}  // namespace perfatlas
