// SPDX-License-Identifier: Apache-2.0
// What validate looks at of collection folders, read as a stream: rows in little memory, of everything else counts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "perfatlas/collect/checked_rows.h"
#include "perfatlas/collect/collection_contents.h"

namespace perfatlas {

struct ValidateInput {
  std::vector<RunRecord> runs;            // oldest first; as far as their first lines could be read
  std::map<std::string, EndRecord> ends;  // by run id; runs that were killed have none
  std::vector<CheckedRows> rows;          // of each op that has some, by its id
  std::map<const OpType*, std::map<Outcome, uint64_t>>
      outcomes;                   // cases decided for good, by their newest record
  std::vector<uint64_t> decided;  // ids of cases, ascending; of folders without journals: of their rows
  uint64_t failures = 0;          // keys whose newest record is neither measured nor skipped
  std::vector<std::string> failure_examples;  // the first of them, "repro: outcome (reason)"
  std::vector<RerunRecord> reruns;
  std::vector<BreakerRecord> breakers;
  std::vector<DamagedLine> damaged;

  /// Nothing was recorded.
  bool empty() const { return runs.empty() && rows.empty() && decided.empty() && failures == 0; }
};

/// Reads every journal and every staging table (<table>.txt of a known op) of the folders. Rows of a staging table that
/// a journal has too count once. Some sixty bytes for each row and case. Throws Error when a folder cannot be read or
/// holds neither, when a staging table is refused (store/csv.h), or when something was written by a newer perfatlas.
/// `ops` must outlive the result.
ValidateInput read_validate_input(const std::vector<std::string>& folders, const OpRegistry& ops,
                                  size_t most_examples);

}  // namespace perfatlas
