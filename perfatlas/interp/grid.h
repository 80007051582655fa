// SPDX-License-Identifier: Apache-2.0
// Nested axes: each value of an outer axis has its own sorted list of values of the next one. The lists may differ
// (the corner of large batches and long sequences is usually missing).
#pragma once

#include <vector>

#include "perfatlas/interp/interpolator.h"
#include "perfatlas/interp/nested_axes_impl.h"

namespace perfatlas {

/// Between the data, axis by axis from the outermost: a measured value of the axis is taken as it is; else both
/// neighbours are resolved and blended, linearly or between square roots (Transform::sqrt). When only one neighbour
/// can be resolved, its value is multiplied by the ratio of the speeds of light: a hole is bridged with held
/// efficiency. A blend is raised to the speed of light when all its points keep it.
///
/// Beyond the data: latency = SOL(q) / utilisation, where utilisation is SOL / latency of the end point for a
/// single axis, and for several axes the mean over the 4 nearest points (octaves), weighted by
/// (max(R - d, 0) / (R d + 1e-12))^2 with R = the distance of the fifth: a modified Shepard weight (Franke and
/// Nielson 1980), continuous where the set of neighbours changes.
class GridInterpolator final : public Interpolator {
 public:
  /// REQUIRES: see make_interpolator.
  GridInterpolator(const AxisLayout& layout, std::span<const MeasuredPoint> points,
                   const SolFunction& sol = {});

  Estimate estimate(const Question& question) const override;
  Reading read(const Question& question) const override;

 private:
  friend class GridWalk;

  AxisLayout layout_;
  std::vector<NestedLevel> levels_;  // scaled: octaves
  std::vector<double> latency_ms_;   // by leaf
  std::vector<double> energy_mj_;    // by leaf; not a number when unknown; empty when all are unknown
  std::vector<double> utilisation_;  // speed of light / latency by leaf, 0 where unknown; empty: not computed
  std::vector<uint32_t> point_;      // leaf -> index of the point
  std::vector<uint32_t> leaf_of_point_;  // and back
};

}  // namespace perfatlas
