// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/sites.h"

#include <algorithm>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/log_axis_impl.h"
#include "perfatlas/interp/place_index.h"
#include "perfatlas/interp/sites_walk_impl.h"

namespace perfatlas {

SitesInterpolator::SitesInterpolator(const AxisLayout& layout, std::span<const MeasuredPoint> points)
    : site_axes_(layout.site_axes),
      raise_blends_(layout.raise_blends),
      point_(points.size()),
      entry_of_point_(points.size()) {
  PlaceIndex numbers;
  std::vector<uint32_t> site_of(points.size());
  for (uint32_t i = 0; i < points.size(); ++i) {
    PERFATLAS_ASSERT(points[i].latency_ms >= 0);
    Coordinates site = points[i].at;
    site[site_axes_] = 0;
    site_of[i] = numbers.add(site, [this](uint32_t s) -> const Coordinates& { return sites_[s]; });
    if (site_of[i] == sites_.size()) sites_.push_back(site);
  }
  sorted_.resize(sites_.size());
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(), [&](uint32_t a, uint32_t b) { return sites_[a] < sites_[b]; });
  for (const Coordinates& site : sites_)
    for (size_t axis = 0; axis < site_axes_; ++axis) octaves_.push_back(octave_of(site[axis]));

  list_by_site(site_of);
  for (size_t site = 0; site < sites_.size(); ++site) {
    const auto begin = point_.begin() + ptrdiff_t(curve_begin_[site]);
    const auto end = point_.begin() + ptrdiff_t(curve_begin_[site + 1]);
    const auto lower = [&](uint32_t a, uint32_t b) {
      return points[a].at[site_axes_] < points[b].at[site_axes_];
    };
    if (!std::is_sorted(begin, end, lower)) std::sort(begin, end, lower);
  }
  key_.reserve(points.size());
  latency_ms_.reserve(points.size());
  energy_mj_.reserve(points.size());
  bool any_energy = false;
  for (uint32_t entry = 0; entry < point_.size(); ++entry) {
    const MeasuredPoint& point = points[point_[entry]];
    PERFATLAS_ASSERT(entry == 0 || site_of[point_[entry]] != site_of[point_[entry - 1]] ||
                     key_.back() != point.at[site_axes_]);
    key_.push_back(point.at[site_axes_]);
    latency_ms_.push_back(point.latency_ms);
    energy_mj_.push_back(point.energy_mj.value_or(kUnknown));
    entry_of_point_[point_[entry]] = entry;
    any_energy = any_energy || point.energy_mj;
  }
  if (!any_energy) energy_mj_ = {};
}

void SitesInterpolator::list_by_site(const std::vector<uint32_t>& site_of) {
  curve_begin_.assign(sites_.size() + 1, 0);
  for (const uint32_t site : site_of) ++curve_begin_[site + 1];
  std::partial_sum(curve_begin_.begin(), curve_begin_.end(), curve_begin_.begin());
  std::vector<uint32_t> next(curve_begin_.begin(), curve_begin_.end() - 1);
  for (uint32_t i = 0; i < site_of.size(); ++i) point_[next[site_of[i]]++] = i;
}

Estimate SitesInterpolator::estimate(const Question& question) const {
  SitesWalk walk(*this, question);
  return walk.estimate();
}

Reading SitesInterpolator::read(const Question& question) const { return reading_of(estimate(question)); }

}  // namespace perfatlas
