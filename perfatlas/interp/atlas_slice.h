// SPDX-License-Identifier: Apache-2.0
// One slice of a table as the engine "atlas" sees it: a dense box of cells, ready to be asked in a tenth of a
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
  AtlasSlice(AtlasSlice&&) = default;
  AtlasSlice(const AtlasSlice&) = delete;  // hot_ points into cells_
  AtlasSlice& operator=(const AtlasSlice&) = delete;

  /// At a position on the axes, outermost first. Never a miss, except beyond the data without a speed of light.
  /// At least the speed of light, unless a measured row behind it is faster: then that is flagged.
  /// REQUIRES: positions are finite and not negative.
  AtlasEstimate estimate(const double* at, const AtlasBars& bars) const;

  /// The measured points behind the estimate at a position, with their shares. Beyond the data, points that only give
  /// the slope have share 0. A hole's share goes to the points that it was filled from. Largest share first.
  std::vector<Support> support(const double* at) const;

  const AtlasCells& cells() const { return cells_; }

 private:
  /// What every question reads before it reads cells: one cache line.
  struct alignas(64) Hot {
    const AtlasCell* cells = nullptr;
    std::array<const AtlasAxis*, kMaxAxes> axis{};
    std::array<uint32_t, kMaxAxes> stride{};
    uint8_t axes = 0;
    uint8_t straight = 0;  // AtlasCells::straight
    uint8_t inside_in_work =
        0;  // axes (bits) whose share between two keys is one of work, as far as work is known
    bool has_law = false, has_power = false, has_curve = false;
  };
  class Walk;
  AtlasEstimate cell_estimate(size_t cell, const AtlasBars& bars) const;

  Hot hot_;
  AtlasCells cells_;
  LogCurve curve_;  // empty unless the law says so
};

}  // namespace perfatlas
