// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/error_bar.h"

#include <algorithm>

namespace perfatlas {
namespace {

constexpr double kNearestOctaves = 1.0 / 16;

double effective(double distance) { return std::max(distance, kNearestOctaves); }

bool nearer(const Residual& a, const Residual& b) { return a.distance < b.distance; }

}  // namespace

ErrorBar::ErrorBar(std::span<const Residual> residuals) {
  for (Residual r : residuals) {
    r.distance = effective(r.distance);
    if (r.kind == EstimateKind::interpolated) interpolated_.push_back(r);
    if (r.kind == EstimateKind::held) held_.push_back(r);
  }
  std::sort(interpolated_.begin(), interpolated_.end(), nearer);
  std::sort(held_.begin(), held_.end(), nearer);
}

std::optional<double> ErrorBar::of(const Estimate& estimate) const {
  if (estimate.kind != EstimateKind::interpolated && estimate.kind != EstimateKind::held) return std::nullopt;
  const std::vector<Residual>& known = estimate.kind == EstimateKind::held ? held_ : interpolated_;
  const double d = effective(estimate.distance);
  const auto first = std::lower_bound(known.begin(), known.end(), Residual{.distance = d / 2}, nearer);
  if (known.end() - first < std::ptrdiff_t(kLeast)) return std::nullopt;
  const auto last =
      std::max(std::upper_bound(known.begin(), known.end(), Residual{.distance = d * 2}, nearer),
               first + std::ptrdiff_t(kLeast));
  std::vector<double> errors;
  for (auto at = first; at != last; ++at) errors.push_back(at->relative_error);
  const double width = error_quantile(std::move(errors), kShare);
  if (width > 0) return width;
  return std::nullopt;  // too good to be an observation: nothing is known
}

}  // namespace perfatlas
