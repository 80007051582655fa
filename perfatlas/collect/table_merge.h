// SPDX-License-Identifier: Apache-2.0
// Which of many measurements stands in a table. In memory only; place.h does the files.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "perfatlas/collect/row_store.h"

namespace perfatlas {

/// What choosing looks at, made where rows are read.
struct RowDigest {
  uint64_t identity = 0;  // row_identity
  uint64_t content = 0;   // ContentHashes::of
};

/// What stands in a table and in its history, as row numbers of the measurements.
struct MergedTable {
  std::vector<uint32_t> rows;     // one per identity, in a fixed order
  std::vector<uint32_t> history;  // every other distinct measurement, in the same order
  /// Rows of one identity and one run of which nobody knows which was measured later (of a staging table without its
  /// journal, or of a placed table): the one that stands, and another that does not.
  std::vector<std::pair<uint32_t, uint32_t>> undecided;
  size_t added = 0, replaced = 0;
  bool rows_changed = false, history_changed = false;  // against what came from files
};

/// All measurements of one op that one table is made from.
class Measurements {
 public:
  /// REQUIRES: `op` outlives this.
  explicit Measurements(const OpType& op) : rows_(op) {}

  /// From a journal. `sequence` > 0 grows in the order of recording within a run.
  void add_recorded(const Row& row, const RowDigest& digest, std::string_view run_id, uint64_t sequence);
  /// Known from a staging table alone.
  void add_staged(const Row& row, const RowDigest& digest);
  /// Of the placed table, in its order. REQUIRES: nothing from journals, staging tables or history is added after it.
  void add_placed(const Row& row, const RowDigest& digest);
  /// Of the history beside it, in its order. REQUIRES: only placed rows are added after it.
  void add_history(const Row& row, const RowDigest& digest);

  const RowStore& rows() const { return rows_; }
  const std::vector<uint64_t>& contents() const { return contents_; }

  /// Newest: the latest run id, within a run the last recorded; a placed row whose run is as new stands before one from
  /// history. Nothing may be added afterwards.
  MergedTable merge();

 private:
  void add(const Row& row, const RowDigest& digest, std::string_view run_id, uint64_t rank);
  std::vector<uint32_t> distinct();
  std::vector<bool> winners(const std::vector<uint32_t>& distinct, MergedTable& merged) const;
  void count_news(const std::vector<uint32_t>& winners, MergedTable& merged) const;
  bool differ(const std::vector<uint32_t>& sorted, size_t begin, size_t end) const;

  RowStore rows_;
  std::vector<uint64_t> identities_, contents_, ranks_;  // by row; rank: age within a run
  size_t measured_ = 0, in_history_ = 0, in_table_ = 0;  // rows of each kind, in this order
};

}  // namespace perfatlas
