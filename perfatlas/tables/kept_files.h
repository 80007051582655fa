// SPDX-License-Identifier: Apache-2.0
// What was derived from files, kept on disk, so that the next process maps it instead of deriving it again. Nothing but
// time is lost when the folder is missing, read-only, emptied or damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/base/hash.h"
#include "perfatlas/tables/packed_column.h"

namespace perfatlas {

/// $XDG_CACHE_HOME/perfatlas/tables, else $HOME/.cache/perfatlas/tables; empty when neither is known.
std::string default_table_cache();

/// What something was made from, and how: what is kept is as good as gone when either has changed.
struct KeptKey {
  Hash128 state;      // of the source; of one file: its bytes and stamp (FileEntry)
  uint64_t form = 0;  // changes with how it was made and written
};

/// One file per thing. It says what it was made from; one that says otherwise, that another revision of this program
/// wrote, or whose checksum is wrong, is as good as none and is replaced. Safe for any number of processes at once.
class KeptFiles {
 public:
  /// `folder`: created when something is stored; empty: nothing is kept.
  explicit KeptFiles(std::string folder) : folder_(std::move(folder)) {}

  /// The payload that was kept under a name, mapped. Nothing when it is not there or was made from something else.
  std::optional<SharedBytes> load(std::string_view name, const KeptKey& made_from) const;

  /// Keeps a payload. False when that was not possible.
  bool store(std::string_view name, const KeptKey& made_from, std::string_view payload) const;

  bool enabled() const { return !folder_.empty(); }

 private:
  std::string path_of(std::string_view name) const;
  std::string folder_;
};

}  // namespace perfatlas
