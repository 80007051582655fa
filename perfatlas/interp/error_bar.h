// SPDX-License-Identifier: Apache-2.0
// The error bar of an estimate, learnt from how well the same slice predicts its own points.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "perfatlas/interp/leave_one_out.h"

namespace perfatlas {

/// For an estimate of some kind at distance d: the 90 % quantile (nearest rank) of the relative errors of the
/// residuals of the same kind whose distance lies within a factor of 2 of d, or, where those are fewer than kLeast, of
/// the kLeast nearest ones from d / 2 on: taking a point of a grid away leaves neighbours a whole step off, while a
/// query has one within half a step, and an estimate from farther off errs more, so that the bar can only be too
/// wide. Nine in ten points of this slice, taken away and estimated from as far, were within it. With fewer than
/// kLeast residuals from d / 2 on nothing is said: an unknown error is absent, never zero, and an error is never
/// carried out to a distance where none was seen.
/// Distances below 1/16 octave count as 1/16: that close, the distance no longer decides.
class ErrorBar {
 public:
  static constexpr size_t kLeast = 10;
  static constexpr double kShare = 0.9;

  explicit ErrorBar(std::span<const Residual> residuals);

  /// Relative half-width for an interpolated or held estimate; nothing for other kinds.
  std::optional<double> of(const Estimate& estimate) const;

 private:
  /// Residuals of one kind, ascending in distance.
  std::vector<Residual> interpolated_, held_;
};

}  // namespace perfatlas
