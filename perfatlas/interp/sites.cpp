// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/sites.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/log_axis_impl.h"
#include "perfatlas/interp/sites_walk_impl.h"

namespace perfatlas {

SitesInterpolator::SitesInterpolator(const AxisLayout& layout, std::span<const MeasuredPoint> points)
    : site_axes_(layout.site_axes),
      raise_blends_(layout.raise_blends),
      point_(points.size()),
      entry_of_point_(points.size()) {
  std::unordered_map<Coordinates, uint32_t, CoordinatesHash> numbers;
  std::vector<uint32_t> site_of(points.size());
  for (uint32_t i = 0; i < points.size(); ++i) {
    PERFATLAS_ASSERT(points[i].latency_ms >= 0);
    Coordinates site = points[i].at;
    site[site_axes_] = 0;
    const auto [at, is_new] = numbers.try_emplace(site, uint32_t(sites_.size()));
    if (is_new) sites_.push_back(site);
    site_of[i] = at->second;
  }
  sorted_.resize(sites_.size());
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(), [&](uint32_t a, uint32_t b) { return sites_[a] < sites_[b]; });
  for (const Coordinates& site : sites_)
    for (size_t axis = 0; axis < site_axes_; ++axis) octaves_.push_back(octave_of(site[axis]));

  std::iota(point_.begin(), point_.end(), 0u);
  const auto position = [&](uint32_t i) { return std::pair(site_of[i], points[i].at[site_axes_]); };
  std::sort(point_.begin(), point_.end(), [&](uint32_t a, uint32_t b) { return position(a) < position(b); });
  bool any_energy = false;
  for (uint32_t entry = 0; entry < point_.size(); ++entry) {
    const MeasuredPoint& point = points[point_[entry]];
    if (entry == 0 || site_of[point_[entry]] != site_of[point_[entry - 1]])
      curve_begin_.push_back(entry);
    else
      PERFATLAS_ASSERT(key_.back() != point.at[site_axes_]);
    key_.push_back(point.at[site_axes_]);
    latency_ms_.push_back(point.latency_ms);
    energy_mj_.push_back(point.energy_mj.value_or(kUnknown));
    entry_of_point_[point_[entry]] = entry;
    any_energy = any_energy || point.energy_mj;
  }
  curve_begin_.push_back(uint32_t(point_.size()));
  if (!any_energy) energy_mj_ = {};
}

Estimate SitesInterpolator::estimate(const Question& question) const {
  SitesWalk walk(*this, question);
  return walk.estimate();
}

Reading SitesInterpolator::read(const Question& question) const { return reading_of(estimate(question)); }

}  // namespace perfatlas
