// SPDX-License-Identifier: Apache-2.0
// The newest row of each identity of one op, as far as checks look at it: some forty bytes each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/collect/case_store.h"
#include "perfatlas/collect/row_store.h"
#include "perfatlas/store/row.h"

namespace perfatlas {

/// Where a row was recorded.
struct RowOrigin {
  std::string_view run_id;
  bool staged = false;   // only known from a staging table, so older than all records of its run
  bool suspect = false;  // see CaseRecord
};

class CheckedRows {
 public:
  /// REQUIRES: `op` outlives this.
  explicit CheckedRows(const OpType& op);

  /// Rows of journals first, oldest run first and in the order of recording; then those of staging tables.
  /// REQUIRES: a row of the op with all its measured values; fewer than 2^32 rows.
  void add(const Row& row, const RowOrigin& origin);
  /// Keeps the newest row of each identity. REQUIRES: not called before.
  void finish();

  const OpType& op() const { return *op_; }
  /// After finish(): rows are numbered 0 .. size()-1 in the order of their newest recording.
  size_t size() const { return size_; }
  FieldValues values(size_t i) const;
  double latency_ms(size_t i) const { return latency_ms_[at(i)]; }
  bool suspect(size_t i) const { return suspect_.at(at(i)) != 0; }
  const std::string& kernel(size_t i) const { return kernel_.at(at(i)); }
  /// Cache state and launch: equal for rows that have both in common, and for those without quality figures.
  int64_t state(size_t i) const { return state_.at(at(i)); }

  /// Numbers that two rows share only when the field, or the kernel, is equal.
  uint32_t field_code(size_t field, size_t i) const { return fields_[field].code(at(i)); }
  uint32_t kernel_code(size_t i) const { return kernel_.codes().code(at(i)); }

  /// As a row, whose memory is used again. What no check looks at (version, device, power, quantiles, clocks, ids) is
  /// absent or as in an empty row, and the parts of a latency of several columns are not told apart.
  void get(size_t i, Row& row) const;

 private:
  uint32_t at(size_t i) const { return newest_.empty() ? uint32_t(i) : newest_[i]; }
  std::vector<uint32_t> newest_numbers() const;

  const OpType* op_;
  size_t size_ = 0;
  std::vector<CodedColumn> fields_;
  CodedText framework_, kernel_, run_;
  CodedColumn state_, throttled_, seed_, suspect_;  // coded_state()
  std::vector<double> latency_ms_;
  OptionalReals rel_ci95_, efficiency_;
  std::vector<uint64_t> identities_;  // empty after finish()
  size_t first_staged_ = 0;
  std::vector<uint32_t> newest_;  // empty: all are
};

}  // namespace perfatlas
