// SPDX-License-Identifier: Apache-2.0
// Published data as a folder of one's own.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/tables/root_source.h"

namespace perfatlas {

struct ImportRequest {
  std::vector<std::string> systems;  // empty: all
  std::string into;                  // the folder; created
  std::string licence;               // text to put beside the data where the source has none
};

struct ImportReport {
  std::vector<std::string> systems;
  size_t files = 0;         // of the source, that are in the folder now
  size_t copied = 0;        // of these, by this call
  uint64_t bytes = 0;       // of all of them
  std::string attribution;  // whose data it is; empty: the source does not say
};

/// The folder below which imported data lies unless told otherwise, and where queries look for it:
/// data_root(given)/published.
std::string published_folder(std::string_view data_root_given = {});

/// Copies descriptions, tables, sidecars, manifests, model configurations and licence of the systems, unchanged, so
/// that the folder is itself a source (RootSource). A file is in its place whole or not at all, and a file that is
/// there with the right size and content is not copied again: the same call after an interruption goes on where that
/// stopped. Until everything is there the folder has a file IMPORT_INCOMPLETE, and opening it is refused. What the
/// files hold is noted (file_sums.h). Systems that are there from earlier imports stay. `progress` counts files. Throws
/// Error when a file cannot be written.
ImportReport import_systems(const RootSource& from, const ImportRequest& request,
                            const IndexProgress& progress);

}  // namespace perfatlas
