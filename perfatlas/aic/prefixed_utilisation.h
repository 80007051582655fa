// SPDX-License-Identifier: Apache-2.0
// The efficiency that estimates of prompts with cached tokens borrow.
#pragma once

#include <memory>
#include <optional>

#include "perfatlas/aic/surface.h"
#include "perfatlas/interp/utilisation_grid.h"

namespace perfatlas::aic {

/// Of the points of a surface near a place; with more cached tokens than all points have, of the points without cached
/// tokens, at new tokens + cached tokens.
class PrefixedUtilisation {
 public:
  /// `surface` null: no points. The axis of the new tokens follows that of the cached ones.
  PrefixedUtilisation(std::shared_ptr<const Surface> surface, size_t prefix_axis);
  /// Nothing when there are no points.
  std::optional<double> at(const Coordinates& place) const;

 private:
  Coordinates unprefixed(const Coordinates& place) const;

  std::shared_ptr<const Surface> surface_;
  size_t prefix_axis_;
  int64_t longest_prefix_ = 0;
  std::optional<UtilisationGrid> unprefixed_;  // over the other axes
};

}  // namespace perfatlas::aic
