// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/atlas_table.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/parallel.h"
#include "perfatlas/interp/atlas_op.h"

namespace perfatlas {
namespace {

constexpr size_t kCalibratedSlices = 500;

bool in_graph(const OpSlice& slice) { return !slice.kernel.ends_with("_eager"); }

std::array<double, kMaxAxes> position_of(const OpType& op, const FieldValues& values) {
  std::array<double, kMaxAxes> at{};
  const Coordinates place = coordinates_of(op, values);
  for (size_t d = 0; d < op.axes.size(); ++d) at[d] = double(place[d]);
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

AtlasTable::AtlasTable(const OpType& op, std::vector<OpSlice> slices,
                       const std::optional<AtlasCalibration>& calibration)
    : op_(&op), slices_(std::move(slices)), models_(slices_.size()), lazy_models_(slices_.size()) {
  for (uint32_t i = 0; i < slices_.size(); ++i) {
    std::vector<uint32_t>& same = numbers_[op.slice_of(slices_[i].prototype)];
    same.insert(in_graph(slices_[i])
                    ? std::find_if_not(same.begin(), same.end(),
                                       [&](uint32_t other) { return in_graph(slices_[other]); })
                    : same.end(),
                i);
    const auto group = transfer_group(op, slices_[i].prototype);
    if (group && slices_[i].machine && in_graph(slices_[i])) groups_[*group].members.push_back(i);
  }
  for (size_t d = 0; d < op.axes.size(); ++d) {
    if (op.axes[d].name == "step") step_axis_ = d;
    if (op.axes[d].transform == Transform::sqrt) isl_axis_ = d;
  }
  if (step_axis_ == kMaxAxes || isl_axis_ == kMaxAxes) step_axis_ = isl_axis_ = kMaxAxes;
  if (calibration)
    calibration_ = *calibration;
  else
    calibrate();
}

const AtlasModel& AtlasTable::make_model(uint32_t number) const {
  LazyModel& lazy = lazy_models_[number];
  std::call_once(lazy.once, [&] {
    const OpSlice& slice = slices_[number];
    const auto tuning = calibration_.scattered.find(number);
    lazy.model = std::make_unique<const AtlasModel>(
        atlas_law(*op_), slice.points, slice.sol(*op_),
        tuning == calibration_.scattered.end() ? nullptr : &tuning->second, &axes_);
    models_[number].store(lazy.model.get(), std::memory_order_release);
  });
  return *lazy.model;
}

void AtlasTable::make_models(size_t threads) const {
  on_threads(threads, slices_.size(), [&](size_t, size_t number) { (void)model(uint32_t(number)); });
}

void AtlasTable::calibrate() {
  size_t rows = 0;
  for (const OpSlice& slice : slices_) rows += slice.points.size();
  const size_t threads = processors();
  std::vector<BarCalibration> parts(threads, BarCalibration(calibration_share(rows), 1));
  on_threads(threads, slices_.size(), [&](size_t thread, size_t number) {
    if (const AtlasSlice* const grid = model(uint32_t(number)).grid()) parts[thread].add(grid->cells());
  });
  for (size_t i = 1; i < parts.size(); ++i) parts[0].merge(parts[i]);
  calibration_.bars = parts[0].bars();
  for (uint32_t i = 0; i < slices_.size(); ++i)
    if (const KrigingSlice* const scattered = model(i).scattered())
      calibration_.scattered.emplace(i, scattered->tuning());
}

const AtlasTable::Group* AtlasTable::group_of(LazyGroup& lazy) const {
  std::call_once(lazy.once, [&] {
    std::vector<uint32_t> numbers;
    std::vector<TransferMember> made;
    for (const uint32_t i : lazy.members) {
      const AtlasSlice* const grid = model(i).grid();
      if (grid == nullptr) continue;
      numbers.push_back(i);
      made.push_back({transfer_shape(*op_, slices_[i].prototype, slices_[i].context()), grid});
    }
    if (made.empty()) return;
    TransferGroup transfer(transfer_rule(*op_), std::move(made));
    TransferBars bars = transfer.calibrate(kCalibratedSlices);
    lazy.group = std::make_unique<const Group>(Group{std::move(numbers), std::move(transfer), bars});
  });
  return lazy.group.get();
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
  const AtlasSlice* grid = model(number).grid();
  if (grid == nullptr || grid->cells().keys(step_axis_).size() > 1) return 1;
  const double prefix = at[step_axis_], full = at[isl_axis_] + prefix;
  at[isl_axis_] = full;
  at[step_axis_] = 0;
  return (full * full - prefix * prefix) / (full * full);
}

AtlasEstimate AtlasTable::estimate(uint32_t number, const FieldValues& values) const {
  std::array<double, kMaxAxes> at = position_of(*op_, values);
  const double share = new_share(number, at);
  AtlasEstimate e = model(number).estimate(at.data(), bars());
  if (share == 1) return e;
  e.latency_ms *= share;
  if (e.kind == EstimateKind::exact) e.kind = EstimateKind::interpolated;
  const double bound = sol_parts(*op_, values, slices_[number].context()).bound_ms();
  if (!e.faster_than_light) e.latency_ms = std::max(e.latency_ms, bound);
  return e;
}

std::vector<Support> AtlasTable::support(uint32_t number, const FieldValues& values) const {
  std::array<double, kMaxAxes> at = position_of(*op_, values);
  (void)new_share(number, at);  // moves the question to where the rows are
  return model(number).support(at.data());
}

std::optional<TransferAnswer> AtlasTable::transfer(const FieldValues& values) const {
  const auto key = transfer_group(*op_, values);
  const auto found = key ? groups_.find(*key) : groups_.end();
  if (found == groups_.end()) return std::nullopt;
  const Group* const similar = group_of(found->second);
  if (similar == nullptr) return std::nullopt;
  const Group& group = *similar;
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
