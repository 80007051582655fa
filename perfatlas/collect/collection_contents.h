// SPDX-License-Identifier: Apache-2.0
// What place and validate ask of any set of collection folders taken together.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/store/table_columns.h"

namespace perfatlas {

/// The files of some collection folders that hold measurements.
struct CollectionFiles {
  std::vector<std::string> journals;                           // oldest first
  std::vector<std::pair<const OpType*, std::string>> staging;  // tables of known ops
};

/// Throws Error when a folder cannot be read or holds neither a journal nor a staging table.
CollectionFiles collection_files(const std::vector<std::string>& folders, const OpRegistry& ops);

/// Every shard of the newest run's plan is there, and the newest run of each ended as complete; given how many cases
/// each run has decided for good. False without runs.
bool plan_complete(const std::vector<RunRecord>& runs, const std::map<std::string, EndRecord>& ends,
                   const std::map<std::string, uint64_t>& decided_by_run);

/// Numbers that two rows share only when they are equal in every column of their table.
class ContentHashes {
 public:
  explicit ContentHashes(const OpType& op);
  /// REQUIRES: a row of the op.
  uint64_t of(const Row& row) const;

 private:
  uint64_t op_;
  std::vector<TableColumn> columns_;
};

}  // namespace perfatlas
