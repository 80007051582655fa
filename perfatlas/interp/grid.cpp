// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/grid_walk_impl.h"
#include "perfatlas/interp/log_axis_impl.h"

namespace perfatlas {

GridInterpolator::GridInterpolator(const AxisLayout& layout, std::span<const MeasuredPoint> points,
                                   const SolFunction& sol)
    : layout_(layout), point_(points.size()), leaf_of_point_(points.size()) {
  std::iota(point_.begin(), point_.end(), 0u);
  const auto before = [&](uint32_t a, uint32_t b) { return points[a].at < points[b].at; };
  if (!std::is_sorted(point_.begin(), point_.end(), before)) std::sort(point_.begin(), point_.end(), before);

  std::vector<Coordinates> places;
  bool any_energy = false;
  for (uint32_t leaf = 0; leaf < point_.size(); ++leaf) {
    const MeasuredPoint& point = points[point_[leaf]];
    PERFATLAS_ASSERT(point.latency_ms >= 0);
    PERFATLAS_ASSERT(leaf == 0 || places.back() != point.at);
    places.push_back(point.at);
    leaf_of_point_[point_[leaf]] = leaf;
    latency_ms_.push_back(point.latency_ms);
    energy_mj_.push_back(point.energy_mj.value_or(kUnknown));
    any_energy = any_energy || point.energy_mj;
    if (sol) {
      const double bound = point.latency_ms > 0 ? sol(point.at) : 0;
      utilisation_.push_back(bound > 0 ? bound / point.latency_ms : 0);
    }
  }
  levels_ = nest(places, layout.axes, [](size_t, int64_t key) { return octave_of(key); });
  if (!any_energy) energy_mj_ = {};
}

Estimate GridInterpolator::estimate(const Question& question) const {
  Estimate estimate;
  const Reading reading = GridWalk(*this, question, &estimate).read();
  estimate.kind = reading.kind;
  estimate.latency_ms = reading.latency_ms;
  if (!std::isnan(reading.energy_mj)) estimate.energy_mj = reading.energy_mj;
  estimate.miss_reason = reading.miss_reason;
  return estimate;
}

Reading GridInterpolator::read(const Question& question) const {
  if (!layout_.raise_blends) return GridWalk(*this, question, nullptr).read();
  // Raising asks the points behind the answer.
  Estimate trace;
  return GridWalk(*this, question, &trace).read();
}

}  // namespace perfatlas
