// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/atlas_table.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/interp/atlas_op.h"

namespace perfatlas {
namespace {

constexpr size_t kCalibratedSlices = 500;

bool in_graph(const OpSlice& slice) { return !slice.kernel.ends_with("_eager"); }

std::array<double, kMaxAxes> position_of(const OpType& op, const FieldValues& values) {
  std::array<double, kMaxAxes> at{};
  for (size_t d = 0; d < op.axes.size(); ++d) at[d] = double(op.axes[d].get(values));
  return at;
}

}  // namespace

/// Slices among which one that is missing may be sought.
struct AtlasTable::Group {
  std::vector<uint32_t> numbers;  // member -> slice
  TransferGroup transfer;
  TransferBars bars;
};

AtlasTable::~AtlasTable() = default;

AtlasTable::AtlasTable(const OpType& op, std::vector<OpSlice> slices, std::optional<AtlasBars> bars)
    : op_(&op), slices_(std::move(slices)) {
  const AtlasLaw law = atlas_law(op);
  size_t rows = 0;
  for (const OpSlice& slice : slices_) rows += slice.points.size();
  BarCalibration calibration(calibration_share(rows), 1);
  std::map<SliceKey, std::vector<uint32_t>> members;
  for (uint32_t i = 0; i < slices_.size(); ++i) {
    models_.emplace_back(law, slices_[i].points, slices_[i].sol(op));
    const AtlasSlice* grid = models_.back().grid();
    if (!bars && grid != nullptr) calibration.add(grid->cells());
    std::vector<uint32_t>& same = numbers_[op.slice_of(slices_[i].prototype)];
    same.insert(in_graph(slices_[i])
                    ? std::find_if_not(same.begin(), same.end(),
                                       [&](uint32_t other) { return in_graph(slices_[other]); })
                    : same.end(),
                i);
    const auto group = transfer_group(op, slices_[i].prototype);
    if (group && grid != nullptr && slices_[i].machine && in_graph(slices_[i])) members[*group].push_back(i);
  }
  bars_ = bars ? *bars : calibration.bars();
  for (auto& [key, numbers] : members) {
    std::vector<TransferMember> made;
    for (const uint32_t i : numbers)
      made.push_back({transfer_shape(op, slices_[i].prototype, slices_[i].context()), models_[i].grid()});
    TransferGroup transfer(transfer_rule(op), std::move(made));
    TransferBars group_bars = transfer.calibrate(kCalibratedSlices);
    groups_.emplace(key, std::make_unique<const Group>(Group{numbers, std::move(transfer), group_bars}));
  }
  for (size_t d = 0; d < op.axes.size(); ++d) {
    if (op.axes[d].name == "step") step_axis_ = d;
    if (op.axes[d].transform == Transform::sqrt) isl_axis_ = d;
  }
  if (step_axis_ == kMaxAxes || isl_axis_ == kMaxAxes) step_axis_ = isl_axis_ = kMaxAxes;
}

uint32_t AtlasTable::find(const FieldValues& values, std::string_view kernel) const {
  const auto found = numbers_.find(op_->slice_of(values));
  if (found == numbers_.end()) return kNone;
  for (const uint32_t number : found->second)
    if (kernel.empty() || slices_[number].kernel == kernel) return number;
  return kNone;
}

double AtlasTable::new_share(uint32_t number, std::array<double, kMaxAxes>& at) const {
  if (step_axis_ == kMaxAxes || !(at[step_axis_] > 0)) return 1;
  const AtlasSlice* grid = models_[number].grid();
  if (grid == nullptr || grid->cells().keys[step_axis_].size() > 1) return 1;
  const double prefix = at[step_axis_], full = at[isl_axis_] + prefix;
  at[isl_axis_] = full;
  at[step_axis_] = 0;
  return (full * full - prefix * prefix) / (full * full);
}

AtlasEstimate AtlasTable::estimate(uint32_t number, const FieldValues& values) const {
  std::array<double, kMaxAxes> at = position_of(*op_, values);
  const double share = new_share(number, at);
  AtlasEstimate e = models_[number].estimate(at.data(), bars_);
  if (share == 1) return e;
  e.latency_ms *= share;
  if (e.kind == EstimateKind::exact) e.kind = EstimateKind::interpolated;
  const double bound = sol_parts(*op_, values, slices_[number].context()).bound_ms();
  if (!e.faster_than_light) e.latency_ms = std::max(e.latency_ms, bound);
  return e;
}

std::optional<TransferAnswer> AtlasTable::transfer(const FieldValues& values) const {
  const auto key = transfer_group(*op_, values);
  const auto found = key ? groups_.find(*key) : groups_.end();
  if (found == groups_.end()) return std::nullopt;
  const Group& group = *found->second;
  const TransferShape shape = transfer_shape(*op_, values, slices_[group.numbers[0]].context());
  TransferAnswer answer{.neighbours = group.transfer.neighbours(shape)};
  const TransferEstimate e =
      group.transfer.estimate(shape, answer.neighbours, position_of(*op_, values).data());
  answer.estimate = {
      .kind = EstimateKind::held, .latency_ms = e.latency_ms, .half_width = width_of(group.bars, e.spread)};
  for (TransferNeighbour& n : answer.neighbours) n.member = group.numbers[n.member];
  return answer;
}

}  // namespace perfatlas
