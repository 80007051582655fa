// SPDX-License-Identifier: Apache-2.0
// What any set of collection folders holds, taken together: the input of place and validate.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/store/table_columns.h"

namespace perfatlas {

struct MeasuredRow {
  Row row;
  std::string run_id;     // empty for rows of foreign staging tables
  uint64_t sequence = 0;  // grows in the order of recording within a run; 0: only known from a staging table
  bool suspect = false;   // see CaseRecord
};

/// The newest record of one key (see RecordKeys).
struct CaseOutcome {
  Case c;
  std::string backend, version;  // of the run
  std::string kernel;            // wanted; empty: the best one
  CacheState cache = CacheState::serving;
  Outcome outcome = Outcome::measured;
  bool final = true;
  std::string reason, repro, run_id;
};

struct CollectionContents {
  std::vector<RunRecord> runs;  // oldest first; without device and system facts of runs that never said hello
  std::vector<MeasuredRow> rows;
  std::vector<CaseOutcome> outcomes;
  std::vector<RerunRecord> reruns;
  std::vector<BreakerRecord> breakers;
  std::map<std::string, EndRecord> ends;  // by run id; runs that were killed have none
  std::vector<DamagedLine> damaged;

  /// Every shard of the newest run's plan is here, and the newest run of each ended as complete. False without runs.
  bool complete() const;
};

/// Reads every journal and every staging table (<table>.txt of a known op) of the folders. Rows of a staging table
/// that a journal has too count once. Throws Error when a folder cannot be read or holds neither, when a staging
/// table is refused (store/csv.h), or when something was written by a newer perfatlas. `ops` must outlive the result.
CollectionContents read_collections(const std::vector<std::string>& folders, const OpRegistry& ops);

/// The files of some collection folders that hold measurements.
struct CollectionFiles {
  std::vector<std::string> journals;                           // oldest first
  std::vector<std::pair<const OpType*, std::string>> staging;  // tables of known ops
};

/// Throws what read_collections says of folders.
CollectionFiles collection_files(const std::vector<std::string>& folders, const OpRegistry& ops);

/// What CollectionContents::complete() says, given how many cases each run has decided for good.
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
