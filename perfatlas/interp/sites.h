// SPDX-License-Identifier: Apache-2.0
// Scattered sites, each with a curve: linear layers have weight shapes (n, k) that follow no grid, and every one of
// them was measured over tokens m.
#pragma once

#include <vector>

#include "perfatlas/interp/interpolator.h"

namespace perfatlas {

/// A known site answers from its own curve: a measured value; linearly between two; beyond the curve (and for a
/// curve of one point) with the median utilisation (SOL / latency) of its up to 3 end points held.
///
/// An unknown site takes the mean utilisation of the 4 nearest sites (octaves over the site axes, weight
/// 1 / (d^2 + 1e-12)), each asked for its own curve at the same place. Only sites whose curve covers the question
/// count, unless none does; only sites within 2 octaves, unless there are none and the question lies beyond the
/// largest site on exactly one axis and below the smallest on none: then those within 2 octaves on the other axes
/// count. Otherwise it is a miss. Equal distances: the site whose first point came first.
class SitesInterpolator final : public Interpolator {
 public:
  /// REQUIRES: see make_interpolator.
  SitesInterpolator(const AxisLayout& layout, std::span<const MeasuredPoint> points);

  Estimate estimate(const Question& question) const override;
  Reading read(const Question& question) const override;

 private:
  friend class SitesWalk;
  friend class SiteCurve;

  /// Fills curve_begin_, and point_ with the points of each site in the order in which they came.
  void list_by_site(const std::vector<uint32_t>& site_of);

  size_t site_axes_;
  bool raise_blends_;
  std::vector<Coordinates> sites_;     // in order of first appearance; the curve axis is 0
  std::vector<uint32_t> curve_begin_;  // site -> first entry of its curve; one more at the end
  std::vector<uint32_t> sorted_;       // sites in ascending order of coordinates
  std::vector<double> octaves_;        // site-major log2 of the site coordinates
  std::vector<int64_t> key_;           // curve entries: position on the curve axis, ascending within a site
  std::vector<double> latency_ms_;     // by entry
  std::vector<double> energy_mj_;      // by entry; not a number when unknown; empty when all are unknown
  std::vector<uint32_t> point_;        // entry -> index of the point
  std::vector<uint32_t> entry_of_point_;  // and back
};

}  // namespace perfatlas
