// SPDX-License-Identifier: Apache-2.0
// What collection folders hold for tables: rows in little memory, and of everything else counts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "perfatlas/collect/collection_contents.h"
#include "perfatlas/collect/table_merge.h"

namespace perfatlas {

/// Cases of one op that a run decided for good.
struct OutcomeCount {
  std::string run_id, backend, version;
  const OpType* op = nullptr;
  Outcome outcome = Outcome::measured;
  uint64_t cases = 0;
};

/// Back end and version: one folder below the system.
using TableFolderKey = std::pair<std::string, std::string>;

struct PlaceInput {
  std::vector<RunRecord> runs;            // oldest first
  std::map<std::string, EndRecord> ends;  // by run id; runs that were killed have none
  std::vector<OutcomeCount> outcomes;     // by the newest record of each key
  std::map<TableFolderKey, std::map<const OpType*, Measurements>> tables;
  std::vector<DamagedLine> damaged;

  /// What plan_complete() says.
  bool complete() const;
};

/// Makes digests of rows of any op of a registry; may be used from many threads.
class RowDigests {
 public:
  explicit RowDigests(const OpRegistry& ops);
  RowDigest of(const Row& row) const;

 private:
  std::map<const OpType*, ContentHashes> contents_;
};

/// Reads every journal and every staging table (<table>.txt of a known op) of the folders; about a hundred bytes for
/// each row. Rows of a staging table that a journal has too count once. Throws what collection_files throws, Error when
/// a staging table is refused (store/csv.h) or something was written by a newer perfatlas, and Error for a framework or
/// version that is no folder name.
PlaceInput read_place_input(const std::vector<std::string>& folders, const OpRegistry& ops);

}  // namespace perfatlas
