// SPDX-License-Identifier: Apache-2.0
// The rows of one op from one folder, as slices that can be asked.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/interp/atlas_model.h"
#include "perfatlas/interp/error_bar.h"
#include "perfatlas/interp/slice.h"
#include "perfatlas/store/row.h"

namespace perfatlas {

/// How rows were measured; nothing for rows of published tables, which do not say and are never mixed with others.
using RowState = std::optional<CacheState>;

/// One slice: points from the rows of one OpType::slice_of, one RowState, and either one kernel or the fastest of
/// all at each point. Of rows alike in all of that, the first in the table counts.
class TableSlice {
 public:
  /// REQUIRES: `numbers` are indices of rows of one slice and state, not empty; `rows` and the context's system
  /// outlive the slice.
  TableSlice(const std::vector<Row>& rows, const std::vector<uint32_t>& numbers, SolContext context);

  /// Supports are points; `row` gives the row of each.
  Estimate estimate(const FieldValues& values) const { return slice_->estimate(values); }
  const Row& row(uint32_t point) const { return (*rows_)[numbers_[point]]; }
  /// What another row says that is alike in all but the latency, and does not count; nothing when none says something
  /// else.
  std::optional<double> contradicting_ms(uint32_t point) const;
  /// The row's latency was below the speed of light and is answered as that (TableLayout::clamp_to_sol).
  bool raised(uint32_t point) const { return slice_->raised(point); }

  /// See Answer::rel_error. The first call for an estimate that is not exact learns from up to kResiduals points;
  /// not for several threads at once.
  std::optional<double> relative_error(const Estimate& estimate) const;

  /// The slice for the engine atlas: latencies as measured. Made when first asked for; not for several threads at once.
  const AtlasModel& model() const;
  /// The shape of the slice: any of its rows.
  const FieldValues& prototype() const { return (*rows_)[numbers_[0]].c.values; }
  SolContext context() const { return context_; }
  /// How its rows were measured.
  RowState state() const;

  static constexpr size_t kResiduals = 400;

 private:
  const std::vector<Row>* rows_;
  std::vector<uint32_t> numbers_;            // point -> row
  std::map<uint32_t, double> contradicted_;  // point -> another row's latency
  SolContext context_;
  std::unique_ptr<const Slice> slice_;
  mutable std::unique_ptr<const AtlasModel> model_;
  const ErrorBar& error_bar(EstimateKind kind) const;
  mutable std::map<EstimateKind, ErrorBar> error_bars_;  // made when first asked for
};

/// Rows are indexed at once; slices are made when first asked for. Not for several threads at once.
class OpTable {
 public:
  /// REQUIRES: every row is of `op`; `op` and `system` (may be null: no speed of light) outlive the table.
  OpTable(const OpType& op, std::vector<Row> rows, const SystemSpec* system);

  /// The slice of a case in a state; `kernel` empty: the fastest of all kernels. Null when there are no such rows.
  const TableSlice* find(const FieldValues& values, RowState state, std::string_view kernel = {});

  /// Error bars of the engine atlas: the leave-outs of all slices in a state. Made when first asked for.
  const AtlasBars& bars(RowState state, std::string_view kernel = {});

  /// What a table has, for reasons of misses. Texts, sorted, without repeats.
  std::vector<RowState> states_of(const FieldValues& values) const;
  std::vector<std::string> kernels_of(const FieldValues& values, RowState state) const;

  /// Why no slice of the table holds the case: the first exact field whose value, together with those before it,
  /// was not measured, and the values that were. Empty when there is such a slice.
  std::string missing_field(const FieldValues& values) const;

  size_t rows() const { return rows_.size(); }

 private:
  using Group = std::pair<SliceKey, int>;  // the state as a number, -1 for none
  const OpType* op_;
  std::vector<Row> rows_;
  const SystemSpec* system_;
  std::map<Group, std::vector<uint32_t>> groups_;
  std::map<std::pair<Group, std::string>, std::unique_ptr<const TableSlice>> slices_;
  std::map<std::pair<int, std::string>, AtlasBars> bars_;  // by state and kernel
};

}  // namespace perfatlas
