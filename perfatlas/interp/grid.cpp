// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/grid.h"

#include <algorithm>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/grid_walk_impl.h"
#include "perfatlas/interp/log_axis_impl.h"

namespace perfatlas {

GridInterpolator::GridInterpolator(const AxisLayout& layout, std::span<const MeasuredPoint> points)
    : layout_(layout), levels_(layout.axes), point_(points.size()), leaf_of_point_(points.size()) {
  std::iota(point_.begin(), point_.end(), 0u);
  const auto before = [&](uint32_t a, uint32_t b) { return points[a].at < points[b].at; };
  if (!std::is_sorted(point_.begin(), point_.end(), before)) std::sort(point_.begin(), point_.end(), before);

  bool any_energy = false;
  for (uint32_t leaf = 0; leaf < point_.size(); ++leaf) {
    const MeasuredPoint& point = points[point_[leaf]];
    PERFATLAS_ASSERT(point.latency_ms > 0);
    size_t level = 0;  // the first axis on which this leaf differs from the one before
    if (leaf > 0) {
      const Coordinates& previous = points[point_[leaf - 1]].at;
      while (level < layout.axes && previous[level] == point.at[level]) ++level;
      PERFATLAS_ASSERT(level < layout.axes);
    }
    for (; level < layout.axes; ++level) {
      levels_[level].keys.push_back(point.at[level]);
      if (level + 1 < layout.axes)
        levels_[level].first_child.push_back(uint32_t(levels_[level + 1].keys.size()));
    }
    leaf_of_point_[point_[leaf]] = leaf;
    latency_ms_.push_back(point.latency_ms);
    energy_mj_.push_back(point.energy_mj.value_or(kUnknown));
    any_energy = any_energy || point.energy_mj;
  }
  for (size_t level = 0; level + 1 < layout.axes; ++level)
    levels_[level].first_child.push_back(uint32_t(levels_[level + 1].keys.size()));
  if (!any_energy) energy_mj_ = {};
}

Estimate GridInterpolator::estimate(const Question& question) const {
  GridWalk walk(*this, question);
  return walk.estimate();
}

}  // namespace perfatlas
