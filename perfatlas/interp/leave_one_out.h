// SPDX-License-Identifier: Apache-2.0
// How well a slice predicts its own points when they are taken away: the basis of error bars and of the figure that
// `validate` prints.
#pragma once

#include <span>
#include <vector>

#include "perfatlas/interp/interpolator.h"

namespace perfatlas {

/// One point estimated without itself.
struct Residual {
  EstimateKind kind = EstimateKind::miss;  // how it was estimated; miss: it could not be
  double distance = 0;                     // octaves to the nearest point it was estimated from
  double relative_error = 0;               // |estimate / measured - 1|; 0 for a miss
};

/// Up to `most` points, evenly spread over `points`, each estimated from all others.
/// REQUIRES: `interpolator` was made from `points`.
std::vector<Residual> leave_one_out(const Interpolator& interpolator, std::span<const MeasuredPoint> points,
                                    const SolFunction& sol, size_t most);

/// How well efficiency is held farther out: for each axis, the points above its largest value / 2 and / 4 are
/// taken away, and up to `most` of those are estimated from the rest; only held answers are returned.
std::vector<Residual> leave_edges_out(const AxisLayout& layout, std::span<const MeasuredPoint> points,
                                      const SolFunction& sol, size_t most);

/// Quantiles of the relative errors; nearest rank (the least error that the share of points does not exceed).
struct ResidualSummary {
  size_t points = 0;                 // that could be estimated
  size_t misses = 0;                 // that could not
  double p50 = 0, p90 = 0, max = 0;  // 0 when points is 0
};

ResidualSummary summarize(std::span<const Residual> residuals);

/// Nearest-rank quantile. REQUIRES: `errors` is not empty; 0 < share <= 1.
double error_quantile(std::vector<double> errors, double share);

}  // namespace perfatlas
