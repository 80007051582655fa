// SPDX-License-Identifier: Apache-2.0
// Leave-out experiments on one slice: which rows are taken away and which of them are then asked for. The same for
// every engine.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "perfatlas/interp/estimate.h"
#include "perfatlas/schema/measured_state.h"

namespace perfatlas {

enum class HoldOutKind {
  plane,          // one inner key of one axis; asked: its cells
  off_grid,       // one inner key of every axis at once; asked: the cell at the crossing
  off_grid_site,  // one inner key of every site axis at once; asked: the curve at the crossing
  site,           // one inner site; asked: its curve
  one_row,        // one row; asked: itself
  line_end,       // the last row of an innermost line (the edge of a staircase); asked: itself
  front_max,      // the largest key of an axis
  front_min,      // the smallest key of an axis
  upper_third,    // the upper third of the keys of an axis
  missing_split,  // a whole slice whose layer was measured in other parallel splits
  missing_layer,  // a whole slice, and all others of the same layer
};

template <>
inline constexpr auto kEnumNames<HoldOutKind> =
    std::array{EnumName<HoldOutKind>{HoldOutKind::plane, "plane"},
               EnumName<HoldOutKind>{HoldOutKind::off_grid, "off-grid"},
               EnumName<HoldOutKind>{HoldOutKind::off_grid_site, "off-grid site"},
               EnumName<HoldOutKind>{HoldOutKind::site, "site"},
               EnumName<HoldOutKind>{HoldOutKind::one_row, "one row"},
               EnumName<HoldOutKind>{HoldOutKind::line_end, "line end"},
               EnumName<HoldOutKind>{HoldOutKind::front_max, "largest key"},
               EnumName<HoldOutKind>{HoldOutKind::front_min, "smallest key"},
               EnumName<HoldOutKind>{HoldOutKind::upper_third, "upper third"},
               EnumName<HoldOutKind>{HoldOutKind::missing_split, "missing split"},
               EnumName<HoldOutKind>{HoldOutKind::missing_layer, "missing layer"}};

/// inside: plane, off-grid, site. beyond: line end, largest key, upper third. The smallest key and single rows are in
/// neither: most axes start at 1, and a random row is often an edge row. Missing slices are a matter of their own.
enum class HoldOutRange { inside, beyond, other };
HoldOutRange range_of(HoldOutKind kind);

struct HoldOut {
  HoldOutKind kind = HoldOutKind::one_row;
  size_t axis = 0;                // of plane, front and upper third
  std::vector<uint32_t> removed;  // indices of points
  std::vector<uint32_t> asked;    // some of them, sampled
};

struct HoldOutPlan {
  size_t axes = 1;
  size_t site_axes = 0;  // 0: no site experiments
  uint64_t seed = 1;
};

/// Of one slice, so not missing_split and missing_layer. Larger slices get more questions: 20 to 1,200 per axis inside,
/// 10 to 200 at an end, 20 to 400 of an upper third, 8 to 60 single rows; a curve of one axis gets three planes.
/// Deterministic; does not depend on the order of the points.
/// REQUIRES: coordinates are distinct.
std::vector<HoldOut> hold_outs(const HoldOutPlan& plan, std::span<const MeasuredPoint> points);

}  // namespace perfatlas
