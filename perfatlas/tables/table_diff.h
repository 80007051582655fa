// SPDX-License-Identifier: Apache-2.0
// Two data folders, compared row by row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/schema/registry.h"
#include "perfatlas/tables/data_folder.h"

namespace perfatlas {

/// One op's rows of one table file in two folders. Rows are matched by key and kernel (TableMerge).
struct TableDiff {
  std::string system, backend, version;
  std::string op;
  size_t added = 0;                    // only in the second
  size_t removed = 0;                  // only in the first
  size_t changed = 0;                  // in both, with another latency
  size_t unchanged = 0;                // in both
  std::optional<double> median_ratio;  // latency in the second over that in the first, of the changed ones
  std::string problem;                 // why a file could not be compared; empty: it was
  bool same() const { return added + removed + changed == 0 && problem.empty(); }
};

struct DiffOptions {
  std::string system;  // empty: all
  std::string op;      // empty: all
};

/// Every table of either folder, sorted by system, back end, version and stem. One table at a time is in memory.
std::vector<TableDiff> compare_folders(const DataFolder& first, const DataFolder& second,
                                       const OpRegistry& ops, const DiffOptions& options);

}  // namespace perfatlas
