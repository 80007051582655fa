// SPDX-License-Identifier: Apache-2.0
// What files a system's data folder holds, as tables of back ends and versions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/registry.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/tables/file_tree.h"

namespace perfatlas {

/// The folder of one version of a back end in one family.
struct VersionFolder {
  std::string family;  // empty in the plain layout
  std::string backend;
  std::string version;
  std::string path;               // in the tree, without a last '/'
  std::vector<TableFile> tables;  // sorted by stem; of one in both formats the Parquet file
  bool has_meta = false;          // collection_meta.yaml
  bool has_reuse = false;         // reuse.yaml
  bool has_old_marker = false;    // SHARED_LAYER_REUSE.txt: borrows, names no donors; from before reuse.yaml
  bool incomplete = false;        // INCOMPLETE.txt and no collection_meta.yaml: its tables do not count

  /// The table, unless it is missing or the folder is incomplete.
  const TableFile* find(std::string_view table) const;
};

/// {family}/{backend}/{version}/FILE or {backend}/{version}/FILE below `folder`; other files, dot folders and history/
/// are not looked at.
class SystemTables {
 public:
  SystemTables(const FileTree& files, const std::string& folder);

  /// Sorted by family (the plain layout last), back end, version.
  const std::vector<VersionFolder>& folders() const { return folders_; }

  /// Folders of one back end and version.
  std::vector<const VersionFolder*> of(std::string_view backend, std::string_view version) const;

  /// The folder of this back end and version that holds `table`: of several families the first. Null: none.
  const VersionFolder* holder(std::string_view table, std::string_view backend,
                              std::string_view version) const;

  /// Back ends that have a folder, sorted.
  std::vector<std::string> backends() const;
  /// Versions of a back end that have a folder with tables or one that says that it borrows, oldest first; incomplete
  /// folders do not count.
  std::vector<std::string> versions(std::string_view backend) const;

  /// Families in which any back end and version has the table, sorted.
  std::vector<std::string> families_of(std::string_view table) const;

 private:
  std::vector<VersionFolder> folders_;
};

/// The ops whose published rows a table holds.
std::vector<const OpType*> ops_of_table(const OpRegistry& ops, std::string_view table);

}  // namespace perfatlas
