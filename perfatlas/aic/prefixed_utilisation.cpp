// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/prefixed_utilisation.h"

#include <algorithm>

namespace perfatlas::aic {

PrefixedUtilisation::PrefixedUtilisation(std::shared_ptr<const Surface> surface, size_t prefix_axis)
    : surface_(std::move(surface)), prefix_axis_(prefix_axis) {
  if (!surface_) return;
  std::vector<MeasuredPoint> points;
  for (const MeasuredPoint& point : surface_->points()) {
    longest_prefix_ = std::max(longest_prefix_, point.at[prefix_axis_]);
    if (point.at[prefix_axis_] == 0) points.push_back({unprefixed(point.at), point.latency_ms, {}});
  }
  if (points.empty()) return;
  unprefixed_.emplace(surface_->axes() - 1, points, [this](const Coordinates& at) {
    Coordinates full = at;
    std::copy_backward(full.begin() + prefix_axis_, full.end() - 1, full.end());
    full[prefix_axis_] = 0;
    return surface_->sol_ms(full);
  });
}

std::optional<double> PrefixedUtilisation::at(const Coordinates& place) const {
  if (!surface_) return std::nullopt;
  if (place[prefix_axis_] > longest_prefix_ && unprefixed_) return unprefixed_->at(unprefixed(place));
  return surface_->utilisation(place);
}

Coordinates PrefixedUtilisation::unprefixed(const Coordinates& place) const {
  Coordinates rest = place;
  rest[prefix_axis_ + 1] += rest[prefix_axis_];
  std::copy(rest.begin() + prefix_axis_ + 1, rest.end(), rest.begin() + prefix_axis_);
  return rest;
}

}  // namespace perfatlas::aic
