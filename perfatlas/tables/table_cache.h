// SPDX-License-Identifier: Apache-2.0
// Decoded tables kept on disk (kept_files.h), so that the next process maps them instead of decoding Parquet again.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "perfatlas/base/hash.h"
#include "perfatlas/tables/file_table.h"
#include "perfatlas/tables/file_tree.h"
#include "perfatlas/tables/kept_files.h"
#include "perfatlas/tables/table_rows.h"
#include "perfatlas/tables/table_source.h"

namespace perfatlas {

/// One kept file per op and table file, named after both. It is of one state of the table file (bytes and stamp) and of
/// one declaration.
class TableCache {
 public:
  /// `folder`: see KeptFiles. `tree`: whose files; see FileTree::identity.
  TableCache(std::string folder, const FileTree& tree);

  /// The table of `op` in a file, mapped. Nothing when it is not there or not of this state.
  std::optional<FileTable> load(const OpType& op, const FileEntry& file) const;

  /// Keeps a table. False when that was not possible.
  bool store(const FileTable& table, const FileEntry& file) const;

  /// TableRows::origin of these files, in the order in which they count, and of `description`, the system's.
  Hash128 origin_of(const OpType& op, std::span<const TableSource> sources, std::span<const FileEntry> files,
                    const FileEntry& description) const;

  /// TableRows::merged_bytes of sources; `files`: their files, in the same order. Nothing when they were not kept, or
  /// of another state of a file.
  std::optional<SharedBytes> load_merge(const OpType& op, std::span<const TableSource> sources,
                                        std::span<const FileEntry> files) const;
  /// Keeps them. False when that was not possible.
  bool store_merge(const TableRows& rows, std::span<const FileEntry> files) const;

  /// Other bytes that were made from a file, mapped. `what` names their form: another form, another name.
  std::optional<SharedBytes> load_bytes(std::string_view what, const FileEntry& file) const;
  /// Keeps such bytes. False when that was not possible.
  bool store_bytes(std::string_view what, const FileEntry& file, const SharedBytes& bytes) const;

 private:
  /// `what`: what of the file is kept.
  std::string name_of(std::string_view what, const FileEntry& file) const;
  KeptFiles kept_;
  std::string identity_;
};

}  // namespace perfatlas
