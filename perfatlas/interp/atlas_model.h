// SPDX-License-Identifier: Apache-2.0
// A slice as the engine "atlas" reads it: as a grid where the points fill their box, else as scattered points.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "perfatlas/interp/atlas_kriging.h"
#include "perfatlas/interp/atlas_slice.h"

namespace perfatlas {

/// Measured share of the cells that lie below the outer edge of the points: cells for which some point is at least as
/// large on every axis. A grid whose corner of large sizes was left out (a staircase) has 1, a random sample of it has
/// its share. 0 when the box has more than kMostCells.
double fill_fraction(size_t axes, std::span<const MeasuredPoint> points);

/// Below this a grid of holes predicts worse than kriging: 40 % of the points of published attention tables give a p90
/// of 23 to 26 % as a box and 7 % by kriging; with all of them a box takes a fiftieth of the time.
inline constexpr double kDenseFill = 0.8;

/// Immutable once made; may be asked from many threads at once without locks.
class AtlasModel {
 public:
  /// REQUIRES: at least one point; latencies positive; coordinates not negative. Equal coordinates: the first counts.
  /// `tuning`: of an earlier model of the same points, for scattered ones; else it is learnt here.
  /// `axes`: see CellOptions.
  AtlasModel(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
             const KrigingTuning* tuning = nullptr, AxisPool* axes = nullptr);

  /// See AtlasSlice and KrigingSlice. Scattered points have bars of their own and do not look at `bars`.
  AtlasEstimate estimate(const double* at, const AtlasBars& bars) const {
    return scattered_ ? scattered_->estimate(at) : grid_->estimate(at, bars);
  }
  std::vector<Support> support(const double* at) const {
    return scattered_ ? scattered_->support(at) : grid_->support(at);
  }

  /// Null when the points are scattered.
  const AtlasSlice* grid() const { return grid_ ? &*grid_ : nullptr; }
  /// Null when they fill their box.
  const KrigingSlice* scattered() const { return scattered_.get(); }

 private:
  std::unique_ptr<const KrigingSlice> scattered_;
  std::optional<AtlasSlice> grid_;  // in place, beside what says which of the two answers
};

}  // namespace perfatlas
