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

  /// What was parsed from a description, as text. `what` names the form of that text: another form, another name.
  std::optional<std::string> load_text(std::string_view what, const FileEntry& file) const;
  /// Keeps such a text. False when that was not possible.
  bool store_text(std::string_view what, const FileEntry& file, std::string_view text) const;

  bool enabled() const { return !folder_.empty(); }

 private:
  /// `what`: what of the file is kept.
  std::string path_of(std::string_view what, const FileEntry& file) const;
  bool write(const std::string& path, std::string_view bytes) const;
  std::string folder_, identity_;
};

}  // namespace perfatlas
