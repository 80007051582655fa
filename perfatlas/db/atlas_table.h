// SPDX-License-Identifier: Apache-2.0
// A table of one op for the engine "atlas": slices, error bars, similar slices.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "perfatlas/db/atlas_calibration.h"
#include "perfatlas/db/op_slices.h"
#include "perfatlas/db/resemblance.h"
#include "perfatlas/interp/atlas_model.h"

namespace perfatlas {

/// An answer about a slice that was not measured.
struct TransferAnswer {
  AtlasEstimate estimate;                     // kind held; half-widths calibrated by leaving slices out
  std::vector<TransferNeighbour> neighbours;  // `member`: numbers of slices of the table
};

/// Slices are made ready when they are first asked for, once; similar slices are compared when one is missing. After
/// that every member may be called from many threads at once without locks.
class AtlasTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// `calibration`: of an earlier table of the same rows; else all slices are made ready here, on all
  /// cores, and calibrated. REQUIRES: the slices are of `op`, which outlives the table.
  AtlasTable(const OpType& op, std::vector<OpSlice> slices,
             const std::optional<AtlasCalibration>& calibration = {});
  AtlasTable(const AtlasTable&) = delete;
  AtlasTable& operator=(const AtlasTable&) = delete;
  ~AtlasTable();

  const OpType& op() const { return *op_; }
  size_t size() const { return slices_.size(); }
  const OpSlice& slice(uint32_t number) const { return slices_[number]; }
  const AtlasModel& model(uint32_t number) const {
    const AtlasModel* const made = models_[number].load(std::memory_order_acquire);
    return made != nullptr ? *made : make_model(number);
  }
  const AtlasBars& bars() const { return calibration_.bars; }
  const AtlasCalibration& calibration() const { return calibration_; }
  /// Makes every slice ready on `threads` threads.
  void make_models(size_t threads) const;

  /// The slice of a case, or kNone. `kernel` empty: the first in the table, kernels that run outside of graphs last.
  uint32_t find(const FieldValues& values, std::string_view kernel = {}) const;

  /// Allocates nothing. A table that has no rows with cached tokens (all of `step` 0) answers a question with some by
  /// the share of new work: latency(isl + step) * ((isl + step)^2 - step^2) / (isl + step)^2.
  /// REQUIRES: the slice is that of the values.
  AtlasEstimate estimate(uint32_t number, const FieldValues& values) const;
  /// The points of the slice behind that answer, with their shares; largest first.
  std::vector<Support> support(uint32_t number, const FieldValues& values) const;

  /// From similar slices; nothing when the op's slices are not compared, the group has none, or the machine is unknown.
  std::optional<TransferAnswer> transfer(const FieldValues& values) const;

 private:
  struct Group;
  /// A model that is being made, by whom it will be owned.
  struct LazyModel {
    std::once_flag once;
    std::unique_ptr<const AtlasModel> model;
  };
  struct LazyGroup {
    std::once_flag once;
    std::vector<uint32_t> members;  // slices
    std::unique_ptr<const Group> group;
  };
  const AtlasModel& make_model(uint32_t number) const;
  void calibrate();
  const Group* group_of(LazyGroup& lazy) const;  // null: no member is a grid
  double new_share(uint32_t number, std::array<double, kMaxAxes>& at) const;

  const OpType* op_;
  std::vector<OpSlice> slices_;
  mutable std::vector<std::atomic<const AtlasModel*>> models_;  // null: not made yet
  mutable std::vector<LazyModel> lazy_models_;
  mutable AxisPool axes_;
  AtlasCalibration calibration_;
  std::map<SliceKey, std::vector<uint32_t>> numbers_;  // by exact fields; several kernels
  mutable std::map<SliceKey, LazyGroup> groups_;
  size_t step_axis_ = kMaxAxes, isl_axis_ = kMaxAxes;  // kMaxAxes: the prefix rule does not apply
};

}  // namespace perfatlas
