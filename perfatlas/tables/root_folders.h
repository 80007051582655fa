// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace perfatlas {

/// Folders in the tree of a source.
struct RootFolders {
  std::string systems;  // of the descriptions: empty or ending in '/'
  std::string models;   // of model configurations, without a last '/'; need not exist
};

}  // namespace perfatlas
