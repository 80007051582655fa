// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_curve.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// One-sided slope at an end from its two secants (h0, s0 the outer one), kept monotone.
double end_slope(double h0, double h1, double s0, double s1) {
  const double slope = ((2 * h0 + h1) * s0 - h0 * s1) / (h0 + h1);
  if (slope * s0 <= 0) return 0;
  if (s0 * s1 <= 0 && std::abs(slope) > 3 * std::abs(s0)) return 3 * s0;
  return slope;
}

}  // namespace

LogCurve::LogCurve(std::span<const double> x, std::span<const double> y) {
  PERFATLAS_ASSERT(x.size() == y.size() && x.size() >= 2);
  for (size_t i = 0; i < x.size(); ++i) {
    x_.push_back(std::log(x[i]));
    y_.push_back(std::log(y[i]));
  }
  const size_t last = x_.size() - 1;
  const auto step = [&](size_t i) { return x_[i + 1] - x_[i]; };
  const auto secant = [&](size_t i) { return (y_[i + 1] - y_[i]) / step(i); };
  slope_.assign(x_.size(), secant(0));
  if (last == 1) return;
  slope_[0] = end_slope(step(0), step(1), secant(0), secant(1));
  slope_[last] = end_slope(step(last - 1), step(last - 2), secant(last - 1), secant(last - 2));
  for (size_t i = 1; i < last; ++i) {
    const double before = secant(i - 1), after = secant(i);
    const double w1 = 2 * step(i) + step(i - 1), w2 = step(i) + 2 * step(i - 1);
    slope_[i] = before * after > 0 ? (w1 + w2) / (w1 / before + w2 / after) : 0;
  }
}

double LogCurve::at(double x) const {
  const double log_x = std::log(x);
  const auto after = std::upper_bound(x_.begin() + 1, x_.end() - 1, log_x);
  const auto left = size_t(after - x_.begin() - 1);
  const double h = x_[left + 1] - x_[left];
  const double t = (log_x - x_[left]) / h, t2 = t * t, t3 = t2 * t;
  return std::exp(y_[left] * (2 * t3 - 3 * t2 + 1) + h * slope_[left] * (t3 - 2 * t2 + t) +
                  y_[left + 1] * (3 * t2 - 2 * t3) + h * slope_[left + 1] * (t3 - t2));
}

}  // namespace perfatlas
