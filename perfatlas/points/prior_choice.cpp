// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/prior_choice.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, .5);
}

}  // namespace

double prior_mean(const PriorPoint& point, PriorUse use, double floor_ms) {
  const double scale =
      use == PriorUse::scaled ? (point.new_sol_ms + floor_ms) / (point.old_sol_ms + floor_ms) : 1;
  return std::log(point.old_ms * scale);
}

PriorScore score_prior(std::span<const PriorPoint> points, std::span<const double> measured_ms, PriorUse use,
                       double floor_ms) {
  PERFATLAS_ASSERT(points.size() == measured_ms.size() && points.size() >= 2);
  std::vector<double> residuals, errors;
  for (size_t i = 0; i < points.size(); ++i)
    residuals.push_back(std::log(measured_ms[i]) - prior_mean(points[i], use, floor_ms));
  for (size_t i = 0; i < residuals.size(); ++i) {
    std::vector<double> others = residuals;
    others.erase(others.begin() + std::ptrdiff_t(i));
    errors.push_back(std::abs(residuals[i] - median(std::move(others))));
  }
  return {median(errors), median(residuals)};
}

PriorUse choose_prior(std::span<const PriorPoint> points, std::span<const double> measured_ms,
                      double floor_ms) {
  const bool bounded = std::all_of(points.begin(), points.end(),
                                   [](const PriorPoint& p) { return p.old_sol_ms > 0 && p.new_sol_ms > 0; });
  if (!bounded) return PriorUse::raw;
  const double raw = score_prior(points, measured_ms, PriorUse::raw, floor_ms).error;
  const double scaled = score_prior(points, measured_ms, PriorUse::scaled, floor_ms).error;
  return scaled < raw ? PriorUse::scaled : PriorUse::raw;
}

}  // namespace perfatlas
