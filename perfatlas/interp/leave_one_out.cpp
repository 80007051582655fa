// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/leave_one_out.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

Residual residual_of(const Estimate& estimate, double measured_ms) {
  if (estimate.kind == EstimateKind::miss) return {};
  return {estimate.kind, estimate.distance, std::abs(estimate.latency_ms / measured_ms - 1)};
}

/// Calls `visit` with up to `most` of the indices below `count`, evenly spread.
template <class Visit>
void spread(size_t count, size_t most, Visit visit) {
  const size_t taken = std::min(count, most);
  for (size_t i = 0; i < taken; ++i) visit(i * count / taken);
}

void estimate_beyond(const AxisLayout& layout, std::span<const MeasuredPoint> points, const SolFunction& sol,
                     const std::function<bool(const MeasuredPoint&)>& is_taken, size_t most,
                     std::vector<Residual>& residuals) {
  std::vector<MeasuredPoint> kept, taken;
  for (const MeasuredPoint& point : points) (is_taken(point) ? taken : kept).push_back(point);
  if (kept.empty() || taken.empty()) return;
  const auto rest = make_interpolator(layout, kept);
  spread(taken.size(), most, [&](size_t i) {
    const Residual r = residual_of(rest->estimate({.at = taken[i].at, .sol = sol}), taken[i].latency_ms);
    if (r.kind == EstimateKind::held) residuals.push_back(r);
  });
}

}  // namespace

std::vector<Residual> leave_one_out(const Interpolator& interpolator, std::span<const MeasuredPoint> points,
                                    const SolFunction& sol, size_t most) {
  std::vector<Residual> residuals;
  if (points.size() < 2) return residuals;
  spread(points.size(), most, [&](size_t i) {
    const Estimate estimate = interpolator.estimate({.at = points[i].at, .sol = sol, .without = uint32_t(i)});
    residuals.push_back(residual_of(estimate, points[i].latency_ms));
  });
  return residuals;
}

std::vector<Residual> leave_edges_out(const AxisLayout& layout, std::span<const MeasuredPoint> points,
                                      const SolFunction& sol, size_t most) {
  std::vector<Residual> residuals;
  for (size_t axis = 0; axis < layout.axes; ++axis) {
    int64_t largest = points[0].at[axis];
    for (const MeasuredPoint& point : points) largest = std::max(largest, point.at[axis]);
    for (const int64_t divisor : {2, 4})
      estimate_beyond(
          layout, points, sol, [&](const MeasuredPoint& point) { return point.at[axis] > largest / divisor; },
          most, residuals);
  }
  return residuals;
}

double error_quantile(std::vector<double> errors, double share) {
  PERFATLAS_ASSERT(!errors.empty() && share > 0 && share <= 1);
  const auto rank = size_t(std::ceil(share * double(errors.size()) - 1e-9));
  std::nth_element(errors.begin(), errors.begin() + std::ptrdiff_t(rank - 1), errors.end());
  return errors[rank - 1];
}

ResidualSummary summarize(std::span<const Residual> residuals) {
  ResidualSummary summary;
  std::vector<double> errors;
  for (const Residual& r : residuals) {
    if (r.kind == EstimateKind::miss)
      ++summary.misses;
    else
      errors.push_back(r.relative_error);
  }
  summary.points = errors.size();
  if (errors.empty()) return summary;
  summary.p50 = error_quantile(errors, 0.5);
  summary.p90 = error_quantile(errors, 0.9);
  summary.max = error_quantile(errors, 1);
  return summary;
}

}  // namespace perfatlas
