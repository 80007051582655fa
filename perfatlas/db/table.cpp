// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "perfatlas/db/answer_parts_impl.h"
#include "perfatlas/interp/atlas_op.h"

namespace perfatlas {
namespace {

int state_number(RowState state) { return state ? int(*state) : -1; }

RowState state_of(const Row& row) {
  if (!row.quality) return std::nullopt;
  return row.quality->cache_state;
}

/// Zero watts in a published table means that nobody looked.
std::optional<double> energy_of(const Row& row, double latency) {
  if (row.quality && row.quality->energy_mj) return row.quality->energy_mj;
  if (row.power_w && *row.power_w > 0) return *row.power_w * latency;
  return std::nullopt;
}

bool same_identity(const Row& a, const Row& b) {
  if (a.kernel_source != b.kernel_source || !(a.c == b.c)) return false;
  return !a.quality || !b.quality || a.quality->launch == b.quality->launch;
}

}  // namespace

TableSlice::TableSlice(const std::vector<Row>& rows, const std::vector<uint32_t>& numbers, SolContext context)
    : rows_(&rows), context_(context) {
  const OpType& op = *rows[numbers[0]].c.op;
  std::unordered_map<Coordinates, size_t, CoordinatesHash> places;
  std::vector<SlicePoint> points;
  for (const uint32_t number : numbers) {
    const Row& row = rows[number];
    const double latency = latency_ms(row);
    const auto [at, is_new] = places.try_emplace(coordinates_of(op, row.c.values), points.size());
    const SlicePoint point{row.c.values, latency, energy_of(row, latency)};
    if (is_new) {
      points.push_back(point);
      numbers_.push_back(number);
    } else if (same_identity(row, rows[numbers_[at->second]])) {
      if (latency != points[at->second].latency_ms) contradicted_.try_emplace(uint32_t(at->second), latency);
    } else if (latency < points[at->second].latency_ms) {
      points[at->second] = point;
      numbers_[at->second] = number;
      contradicted_.erase(uint32_t(at->second));
    }
  }
  slice_ = std::make_unique<const Slice>(op, points, context);
}

std::optional<double> TableSlice::contradicting_ms(uint32_t point) const {
  const auto found = contradicted_.find(point);
  return found == contradicted_.end() ? std::nullopt : std::optional(found->second);
}

RowState TableSlice::state() const { return state_of((*rows_)[numbers_[0]]); }

const AtlasModel& TableSlice::model() const {
  if (!model_) {
    const OpType& op = *(*rows_)[numbers_[0]].c.op;
    std::vector<MeasuredPoint> points;
    for (const uint32_t number : numbers_) {
      const Row& measured = (*rows_)[number];
      const double latency = latency_ms(measured);
      points.push_back({coordinates_of(op, measured.c.values), latency, energy_of(measured, latency)});
    }
    model_ =
        std::make_unique<const AtlasModel>(atlas_law(op), points, sol_law(op, prototype(), context_, points));
  }
  return *model_;
}

std::optional<double> TableSlice::relative_error(const Estimate& estimate) const {
  if (estimate.kind == EstimateKind::exact) {
    const Row& measured = row(estimate.support()[0].point);
    // An interval of zero width comes from too few distinct samples: it is not known to be exact.
    if (!measured.quality || !(measured.quality->rel_ci95 > 0)) return std::nullopt;
    return measured.quality->rel_ci95;
  }
  if (estimate.kind == EstimateKind::miss) return std::nullopt;
  return error_bar(estimate.kind).of(estimate);
}

const ErrorBar& TableSlice::error_bar(EstimateKind kind) const {
  if (const auto made = error_bars_.find(kind); made != error_bars_.end()) return made->second;
  std::vector<Residual> residuals = slice_->leave_one_out(kResiduals);
  if (kind == EstimateKind::held) {  // these cost several times the making of the slice
    const std::vector<Residual> edges = slice_->leave_edges_out(kResiduals / 4);
    residuals.insert(residuals.end(), edges.begin(), edges.end());
  }
  return error_bars_.emplace(kind, ErrorBar(residuals)).first->second;
}

OpTable::OpTable(const OpType& op, std::vector<Row> rows, const SystemSpec* system)
    : op_(&op), rows_(std::move(rows)), system_(system) {
  auto last = groups_.end();  // neighbours mostly belong together
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    Group group{op.slice_of(rows_[i].c.values), state_number(state_of(rows_[i]))};
    if (last == groups_.end() || last->first != group) last = groups_.try_emplace(std::move(group)).first;
    last->second.push_back(i);
  }
}

const TableSlice* OpTable::find(const FieldValues& values, RowState state, std::string_view kernel) {
  const Group group{op_->slice_of(values), state_number(state)};
  const std::pair key{group, std::string(kernel)};
  if (const auto made = slices_.find(key); made != slices_.end()) return made->second.get();
  const auto found = groups_.find(group);
  if (found == groups_.end()) return nullptr;
  std::vector<uint32_t> numbers = found->second;
  if (!kernel.empty())
    std::erase_if(numbers, [&](uint32_t number) { return rows_[number].kernel_source != kernel; });
  if (numbers.empty()) return nullptr;
  // Published tables were measured with the caches flushed: all traffic is charged to memory.
  const SolContext context{system_, state.value_or(CacheState::cold)};
  return slices_.emplace(key, std::make_unique<const TableSlice>(rows_, numbers, context))
      .first->second.get();
}

const AtlasBars& OpTable::bars(RowState state, std::string_view kernel) {
  const std::pair key{state_number(state), std::string(kernel)};
  if (const auto made = bars_.find(key); made != bars_.end()) return made->second;
  BarCalibration calibration(calibration_share(rows_.size()), 1);
  for (const auto& [group, numbers] : groups_) {
    if (group.second != state_number(state)) continue;
    const TableSlice* slice = find(rows_[numbers[0]].c.values, state, kernel);
    if (slice != nullptr && slice->model().grid() != nullptr) calibration.add(slice->model().grid()->cells());
  }
  return bars_.emplace(key, calibration.bars()).first->second;
}

std::vector<RowState> OpTable::states_of(const FieldValues& values) const {
  const SliceKey key = op_->slice_of(values);
  std::vector<RowState> states;
  for (const auto& [group, numbers] : groups_)
    if (group.first == key) states.push_back(group.second < 0 ? RowState() : CacheState(group.second));
  return states;
}

std::vector<std::string> OpTable::kernels_of(const FieldValues& values, RowState state) const {
  const auto found = groups_.find({op_->slice_of(values), state_number(state)});
  std::set<std::string> kernels;
  if (found != groups_.end())
    for (const uint32_t number : found->second) kernels.insert(rows_[number].kernel_source);
  return {kernels.begin(), kernels.end()};
}

std::string OpTable::missing_field(const FieldValues& values) const {
  std::vector<FieldValues> prototypes;
  for (const auto& [group, numbers] : groups_) prototypes.push_back(rows_[numbers[0]].c.values);
  return perfatlas::missing_field(*op_, values, prototypes);
}

}  // namespace perfatlas
