// SPDX-License-Identifier: Apache-2.0
// Which of many measurements stands in a table. In memory only; place.h does the files.
#pragma once

#include <vector>

#include "perfatlas/collect/collection_contents.h"

namespace perfatlas {

struct MergedTable {
  std::vector<Row> rows;     // one per identity, in a fixed order
  std::vector<Row> history;  // every other distinct measurement, in the same order
  size_t added = 0, replaced = 0;
  bool rows_changed = false, history_changed = false;  // against what was given
};

/// Merges measurements into a table and its history. Newest: the latest run id, within a run the last recorded; a
/// placed row whose run is as new stands before one from history. REQUIRES: all rows are of one op.
MergedTable merge_table(std::vector<Row> table, std::vector<Row> history, std::vector<MeasuredRow> measured);

}  // namespace perfatlas
