// SPDX-License-Identifier: Apache-2.0
// Many measured rows of one op in about a hundred bytes each: fields and texts as codes into dictionaries, figures as
// they are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "perfatlas/collect/case_store.h"
#include "perfatlas/store/row.h"

namespace perfatlas {

/// Texts of many rows, each distinct one once.
class CodedText {
 public:
  void push_back(std::string_view text);
  const std::string& at(size_t row) const { return texts_[codes_.code(row)]; }
  const CodedColumn& codes() const { return codes_; }
  /// By code.
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  CodedColumn codes_;  // of numbers that are positions in texts_
  std::vector<std::string> texts_;
  std::unordered_map<std::string, int64_t> numbers_;
  int64_t last_ = 0;  // of the newest row: neighbours mostly share it
};

/// Figures that rows may lack; takes no room until one has it.
class OptionalReals {
 public:
  void push_back(std::optional<double> value);
  std::optional<double> at(size_t row) const;

 private:
  size_t rows_ = 0;
  std::vector<double> values_;  // unknown: not a number
};

/// Cache state and launch as one number that sorts like the pair of them; 0: there are no quality figures.
int64_t coded_state(const std::optional<RowQuality>& quality);
/// The pair of a number above 0.
void set_state(RowQuality& quality, int64_t state);

/// Rows numbered 0 .. size()-1 in the order of adding, each with the run that is answerable for it.
class RowStore {
 public:
  /// REQUIRES: `op` outlives this.
  explicit RowStore(const OpType& op);

  /// REQUIRES: a row of the op with all its measured values, none of its figures NaN; fewer than 2^32 rows.
  void add(const Row& row, std::string_view run_id);

  size_t size() const { return case_ids_.size(); }
  /// Writes a row into `row`, whose memory is used again.
  void get(size_t i, Row& row) const;
  const std::string& run_id(size_t i) const { return run_.at(i); }
  /// Ranks of the run ids' texts, by CodedText code.
  uint32_t run_rank(size_t i) const { return run_ranks_[run_.codes().code(i)]; }

  /// Puts rows in the order of fields (symbols by text), kernel, cache state and launch, run, `tie` (by row).
  /// REQUIRES: no row was added since finish().
  void sort(std::vector<uint32_t>& rows, std::span<const uint64_t> tie) const;
  /// All rows are there.
  void finish();

 private:
  void add_quality(const std::optional<RowQuality>& quality);
  void get_quality(size_t i, std::optional<RowQuality>& quality) const;
  std::vector<uint32_t> field_ranks(size_t field) const;

  const OpType* op_;
  std::vector<CodedColumn> fields_;
  CodedText framework_, version_, device_, kernel_, run_, quality_run_;
  std::vector<double> measured_;  // rows x columns
  OptionalReals power_w_, power_limit_w_;
  // Of rows without quality figures: state 0, the others as they come.
  CodedColumn state_, samples_, throttled_, seed_;
  OptionalReals p10_, p90_, rel_ci95_, clock_, temperature_, energy_, efficiency_;
  std::vector<uint64_t> case_ids_;
  std::vector<uint32_t> run_ranks_;
};

}  // namespace perfatlas
