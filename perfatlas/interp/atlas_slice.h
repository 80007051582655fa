// SPDX-License-Identifier: Apache-2.0
// One slice of a table as the engine "atlas" sees it: a dense box of cells, ready to be asked in a fraction of a
// microsecond.
#pragma once

#include <limits>
#include <vector>

#include "perfatlas/interp/atlas_bars.h"
#include "perfatlas/interp/atlas_cells.h"
#include "perfatlas/interp/atlas_curve.h"

namespace perfatlas {

/// An answer. A plain value; making one allocates nothing.
struct AtlasEstimate {
  EstimateKind kind = EstimateKind::miss;  // held: beyond the keys of an axis, by the affine law in work
  double latency_ms = 0;
  double power_w = std::numeric_limits<double>::quiet_NaN();  // not a number when unknown
  BarWidths half_width{};                                     // 50, 80 and 95 %
  bool repaired = false;  // the row that was measured here is spoiled; this is what its neighbours say
  bool faster_than_light =
      false;  // a measured row behind it is below the speed of light; else the answer is not
};

/// Immutable once made; may be asked from many threads at once without locks.
class AtlasSlice {
 public:
  /// REQUIRES: as make_cells.
  AtlasSlice(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
             CellOptions options = {});

  /// At a position on the axes, outermost first. Never a miss, except beyond the data without a speed of light.
  /// At least the speed of light, unless a measured row behind it is faster: then that is flagged.
  AtlasEstimate estimate(const double* at, const AtlasBars& bars) const;

  /// The measured points behind the estimate at a position, with their shares. Beyond the data, points that only give
  /// the slope have share 0. A hole's share goes to the measured point nearest to it.
  std::vector<Support> support(const double* at) const;

  const AtlasCells& cells() const { return cells_; }

 private:
  struct Place;
  struct Walk;
  Place place_of(size_t axis, double x) const;
  AtlasEstimate cell_estimate(size_t cell, const AtlasBars& bars) const;
  uint32_t nearest_point(size_t cell) const;

  AtlasCells cells_;
  LogCurve curve_;  // empty unless the law says so
};

}  // namespace perfatlas
