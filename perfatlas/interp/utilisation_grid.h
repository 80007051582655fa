// SPDX-License-Identifier: Apache-2.0
// The efficiency of the nearest measured points, for estimates where the shape itself was measured too coarsely or
// under another name.
#pragma once

#include <span>
#include <vector>

#include "perfatlas/interp/estimate.h"
#include "perfatlas/interp/nested_axes_impl.h"

namespace perfatlas {

/// Utilisation = speed of light / latency of the two nearest points, weighted by the inverse of the distance; the point
/// itself when it was measured. Distances are Euclidean between natural logarithms (of at least 1e-9), each axis
/// scaled to [0, 1] over the points and the question moved into that range. Immutable, thread-safe.
class UtilisationGrid {
 public:
  /// Points without a positive latency and speed of light do not count. REQUIRES: 1 to kMaxAxes axes; coordinates are
  /// distinct.
  UtilisationGrid(size_t axes, std::span<const MeasuredPoint> points, const SolFunction& sol);

  bool empty() const { return utilisation_.empty(); }
  /// REQUIRES: not empty.
  double at(const Coordinates& place) const;
  /// The same between whole numbers. REQUIRES: not empty, one axis.
  double between(double place) const;

 private:
  struct Scale {
    double least = 0, span = 1;
  };
  double scaled(size_t axis, double value) const;
  double read(const std::array<double, kMaxAxes>& here) const;

  std::vector<Scale> scales_;
  std::vector<NestedLevel> levels_;
  std::vector<double> utilisation_;  // by leaf
};

/// The index of the candidate nearest to `wanted`: natural logarithms (of at least 1e-9) scaled over the candidates
/// alone; the first of equals. REQUIRES: at least one candidate, each as long as `wanted`.
size_t nearest_candidate(std::span<const std::vector<double>> candidates, const std::vector<double>& wanted);

}  // namespace perfatlas
