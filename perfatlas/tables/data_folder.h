// SPDX-License-Identifier: Apache-2.0
// Any folder of tables, published or placed by perfatlas itself, as a list of table files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/tables/file_tree.h"
#include "perfatlas/tables/system_tables.h"

namespace perfatlas {

/// One table file and whose it is.
struct FolderTable {
  std::string system;
  std::string backend;
  std::string version;
  std::string family;  // empty in the plain layout
  TableFile file;      // path in the tree
};

struct DataFolder {
  std::unique_ptr<FileTree> files;
  std::vector<FolderTable> tables;  // by system, family, back end, version, stem
};

/// A wheel, a folder with system descriptions, or a data folder whose folders are systems (store/layout.h). Throws
/// UsageError when it is none of these.
DataFolder open_data_folder(const std::string& source);

}  // namespace perfatlas
