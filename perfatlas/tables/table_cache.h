// SPDX-License-Identifier: Apache-2.0
// Decoded tables kept on disk, so that the next process maps them instead of decoding Parquet again. Nothing but time
// is lost when the folder is missing, read-only, emptied or damaged.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "perfatlas/tables/file_table.h"
#include "perfatlas/tables/file_tree.h"

namespace perfatlas {

/// $XDG_CACHE_HOME/perfatlas/tables, else $HOME/.cache/perfatlas/tables; empty when neither is known.
std::string default_table_cache();

/// One file per op and table file, named after both. It says of which state of the table file it was made (bytes and
/// stamp) and by which declaration; a file that says otherwise, or whose checksum is wrong, is as good as none and is
/// replaced. Safe for any number of processes at once.
class TableCache {
 public:
  /// `folder`: created when something is stored; empty: no cache. `tree`: whose files; see FileTree::identity.
  TableCache(std::string folder, const FileTree& tree);

  /// The table of `op` in a file, mapped. Nothing when it is not there or not of this state.
  std::optional<FileTable> load(const OpType& op, const FileEntry& file) const;

  /// Keeps a table. False when that was not possible.
  bool store(const FileTable& table, const FileEntry& file) const;

  bool enabled() const { return !folder_.empty(); }

 private:
  std::string path_of(const OpType& op, const FileEntry& file) const;
  std::string folder_, identity_;
};

}  // namespace perfatlas
