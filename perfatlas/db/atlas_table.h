// SPDX-License-Identifier: Apache-2.0
// A table of one op, loaded for the engine "atlas": every slice ready, error bars calibrated, similar slices known.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "perfatlas/db/op_slices.h"
#include "perfatlas/db/resemblance.h"
#include "perfatlas/interp/atlas_model.h"

namespace perfatlas {

/// An answer about a slice that was not measured.
struct TransferAnswer {
  AtlasEstimate estimate;                     // kind held; half-widths calibrated by leaving slices out
  std::vector<TransferNeighbour> neighbours;  // `member`: numbers of slices of the table
};

/// Immutable once made: every member may be called from many threads at once, without locks.
class AtlasTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// `bars`: of an earlier calibration of the same rows (to_bytes), which takes most of the time; else made here.
  /// REQUIRES: the slices are of `op`, which outlives the table.
  AtlasTable(const OpType& op, std::vector<OpSlice> slices, std::optional<AtlasBars> bars = {});
  AtlasTable(const AtlasTable&) = delete;
  AtlasTable& operator=(const AtlasTable&) = delete;
  ~AtlasTable();

  const OpType& op() const { return *op_; }
  size_t size() const { return slices_.size(); }
  const OpSlice& slice(uint32_t number) const { return slices_[number]; }
  const AtlasModel& model(uint32_t number) const { return models_[number]; }
  const AtlasBars& bars() const { return bars_; }

  /// The slice of a case, or kNone. `kernel` empty: the first in the table, kernels that run outside of graphs last.
  uint32_t find(const FieldValues& values, std::string_view kernel = {}) const;

  /// Allocates nothing. A table that has no rows with cached tokens (all of `step` 0) answers a question with some by
  /// the share of new work: latency(isl + step) * ((isl + step)^2 - step^2) / (isl + step)^2.
  /// REQUIRES: the slice is that of the values.
  AtlasEstimate estimate(uint32_t number, const FieldValues& values) const;

  /// From similar slices; nothing when the op's slices are not compared, the group has none, or the machine is unknown.
  std::optional<TransferAnswer> transfer(const FieldValues& values) const;

 private:
  struct Group;
  double new_share(uint32_t number, std::array<double, kMaxAxes>& at) const;

  const OpType* op_;
  std::vector<OpSlice> slices_;
  std::vector<AtlasModel> models_;
  AtlasBars bars_;
  std::map<SliceKey, std::vector<uint32_t>> numbers_;  // by exact fields; several kernels
  std::map<SliceKey, std::unique_ptr<const Group>> groups_;
  size_t step_axis_ = kMaxAxes, isl_axis_ = kMaxAxes;  // kMaxAxes: the prefix rule does not apply
};

}  // namespace perfatlas
