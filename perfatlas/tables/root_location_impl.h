// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/tables/file_tree.h"

namespace perfatlas {

/// Where a source keeps what.
struct RootLocation {
  std::unique_ptr<FileTree> files;
  std::string systems;  // folder of the descriptions in the tree: empty or ending in '/'
  std::string models;   // folder of model configurations, without a last '/'; need not exist
  std::vector<std::string> system_names;  // sorted
};

/// A wheel, a systems folder, or a folder that holds one. Throws UsageError naming what was looked for.
RootLocation locate_root(const std::string& source);

}  // namespace perfatlas
