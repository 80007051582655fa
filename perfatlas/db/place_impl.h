// SPDX-License-Identifier: Apache-2.0
// Which table of a data folder answers for an op.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/db/database.h"

namespace perfatlas {

/// One system, back end and version, and the op's table there.
struct Place {
  std::string system, backend, version;  // backend and version are empty when none holds the table
  std::optional<TableFile> file;
  std::string missing_reason;  // when there is no file
  std::vector<std::string> notes;
};

/// Throws UsageError when the options name something that is not there, or leave open which back end is meant.
/// REQUIRES: options.system is one of the data folder's systems.
Place find_place(const std::vector<TableFolder>& folders, const OpType& op, const QueryOptions& options);

/// The distinct texts, sorted, for a message.
std::string known_words(std::vector<std::string> words);

}  // namespace perfatlas
