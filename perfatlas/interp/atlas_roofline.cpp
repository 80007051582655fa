// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <limits>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_transfer.h"

namespace perfatlas {
namespace {

constexpr size_t kTerms = 3;
using Vector = std::array<double, kTerms>;

/// Sums of products of the terms, relative to latency: the normal equations.
struct Normal {
  std::array<Vector, kTerms> matrix{};
  Vector right{};
  double points = 0;

  /// Sum of (R / latency - 1)^2.
  double error(const Vector& c) const {
    double sum = points;
    for (size_t i = 0; i < kTerms; ++i) {
      sum -= 2 * c[i] * right[i];
      for (size_t j = 0; j < kTerms; ++j) sum += c[i] * c[j] * matrix[i][j];
    }
    return sum;
  }

  /// The least squares with only the terms of `used` (bits); not a number when they do not determine it.
  Vector solve(unsigned used) const {
    std::array<Vector, kTerms> m = matrix;
    Vector r = right, c{};
    for (size_t i = 0; i < kTerms; ++i)
      if ((used >> i & 1) == 0) {
        m[i] = {};
        for (auto& row : m) row[i] = 0;
        m[i][i] = 1;
        r[i] = 0;
      }
    for (size_t i = 0; i < kTerms; ++i)  // symmetric and positive: no pivoting
      for (size_t j = i + 1; j < kTerms; ++j) {
        const double factor = m[j][i] / m[i][i];
        for (size_t k = i; k < kTerms; ++k) m[j][k] -= factor * m[i][k];
        r[j] -= factor * r[i];
      }
    for (size_t i = kTerms; i-- > 0;) {
      c[i] = r[i];
      for (size_t k = i + 1; k < kTerms; ++k) c[i] -= m[i][k] * c[k];
      c[i] /= m[i][i];
    }
    return c;
  }
};

}  // namespace

Roofline fit_roofline(std::span<const RooflinePoint> points) {
  PERFATLAS_ASSERT(!points.empty());
  Normal normal{.points = double(points.size())};
  for (const RooflinePoint& point : points) {
    const Vector terms{1 / point.latency_ms, point.sol.math_ms / point.latency_ms,
                       point.sol.memory_ms / point.latency_ms};
    for (size_t i = 0; i < kTerms; ++i) {
      normal.right[i] += terms[i];
      for (size_t j = 0; j < kTerms; ++j) normal.matrix[i][j] += terms[i] * terms[j];
    }
  }
  Vector best{};
  double least = std::numeric_limits<double>::infinity();
  for (unsigned used = 1; used < 1u << kTerms; ++used) {  // few terms: every set of free ones is tried
    const Vector c = normal.solve(used);
    const double error = normal.error(c);
    if (!(c[0] >= 0 && c[1] >= 0 && c[2] >= 0) || !(error < least)) continue;
    least = error;
    best = c;
  }
  return {best[0], best[1], best[2]};
}

}  // namespace perfatlas
