// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_slice.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace perfatlas {

/// Where a query lies on one axis.
struct AtlasSlice::Place {
  uint32_t a = 0, b = 0;  // key indices; equal: an exact hit, or a line of one key
  bool exact = false;
  AxisStep step = AxisStep::inside;
};

AtlasSlice::AtlasSlice(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                       CellOptions options)
    : cells_(make_cells(law, points, std::move(sol), options)) {
  if (law.log_curve) curve_ = curve_through(cells_, false);
}

AtlasSlice::Place AtlasSlice::place_of(size_t axis, double x) const {
  const std::vector<double>& keys = cells_.keys[axis];
  const double* base = keys.data();
  size_t length = keys.size();
  while (length > 1) {  // the last key <= x, without branches that depend on data
    const size_t half = length / 2;
    base += base[half] <= x ? half : 0;
    length -= half;
  }
  const auto i = uint32_t(base - keys.data());
  if (*base == x) return {i, i, true, AxisStep::inside};
  if (x < *base) return {0, cells_.lower_anchor[axis], false, AxisStep::below};
  if (i + 1 == keys.size()) return {i, cells_.upper_anchor[axis], false, AxisStep::above};
  return {i, i + 1, false, AxisStep::inside};
}

AtlasEstimate AtlasSlice::cell_estimate(size_t cell, const AtlasBars& bars) const {
  AtlasEstimate e{
      .kind = EstimateKind::exact, .latency_ms = cells_.latency_ms[cell], .half_width = bars.exact};
  if (!cells_.power_w.empty()) e.power_w = cells_.power_w[cell];
  const CellState state = cells_.state[cell];
  if (state == CellState::measured || state == CellState::doubtful) {
    e.latency_ms = cells_.measured_ms(cell);
    e.faster_than_light = e.latency_ms < cells_.bound_ms(cell);
    return e;
  }
  e.repaired = state == CellState::repaired;
  if (state == CellState::filled) e.kind = EstimateKind::interpolated;
  if (state == CellState::extrapolated) e.kind = EstimateKind::held;
  const HoleKind hole = HoleKind::unpack(cells_.hole[cell]);
  e.half_width = bars.of(hole.axis, hole.step, hole.bin);
  e.latency_ms = std::max(e.latency_ms, cells_.bound_ms(cell));
  return e;
}

/// One query on its way through the axes.
struct AtlasSlice::Walk {
  struct Value {
    double latency_ms = 0, power_w = 0;
    SolParts
        light{};  // at the keys of the outer axes and the query's place on the others; where it was wanted
  };

  const AtlasCells& cells;
  const std::array<Place, kMaxAxes>& places;
  std::array<double, kMaxAxes> at;  // outer axes at their keys, inner ones at the query
  std::array<double, kMaxAxes> spread{1, 1, 1, 1};
  std::array<uint8_t, kMaxAxes> hole_bin{};    // of the worst hole on each axis ...
  std::array<AxisStep, kMaxAxes> hole_step{};  // ... that was filled like this
  uint8_t axes_with_holes = 0;                 // bits
  bool faster_than_light = false;              // a measured cell is

  void see_hole(size_t cell) {
    const HoleKind hole = HoleKind::unpack(cells.hole[cell]);
    const auto bit = uint8_t(1u << hole.axis);
    const bool first = (axes_with_holes & bit) == 0;
    const bool worse =
        hole.step != hole_step[hole.axis] ? hole.step != AxisStep::inside : hole.bin > hole_bin[hole.axis];
    if (!first && !worse) return;
    axes_with_holes |= bit;
    hole_bin[hole.axis] = hole.bin;
    hole_step[hole.axis] = hole.step;
  }

  Value leaf(size_t cell) {
    if (!cells.hole.empty() && cells.hole[cell] != HoleKind::kNone) see_hole(cell);
    faster_than_light |= cells.trusted(cell) && cells.latency_ms[cell] < cells.bound_ms(cell);
    return {cells.latency_ms[cell],
            cells.power_w.empty() ? std::numeric_limits<double>::quiet_NaN() : double(cells.power_w[cell]),
            cells.light[cell]};
  }

  /// Widens the spread of an axis by one bracket between the cells `a` and `b`, whose inner axes are at their first
  /// keys: of the ratio of their speeds of light only the bin matters, so it is read at the inner axes' lower keys.
  void see_bracket(size_t axis, const Value& a, const Value& b, size_t cell_a, size_t cell_b) {
    double& widest = spread[axis];
    if (b.latency_ms <= a.latency_ms * widest && a.latency_ms <= b.latency_ms * widest) return;
    size_t inner = 0;
    for (size_t d = axis + 1; d < cells.law.axes; ++d) inner += places[d].a * cells.stride[d];
    widest = std::max(widest, spread_of(a.latency_ms, b.latency_ms, cells.bound_ms(cell_a + inner),
                                        cells.bound_ms(cell_b + inner)));
  }

  /// Of the axes from `axis` on, the outer ones being at the keys of `base`. The speed of light along an axis is that at
  /// its ends, found on the way up from the cells, and at the query: on the straight line through them, or asked.
  Value reduce(size_t axis, size_t base, bool want_light) {
    if (axis == cells.law.axes) return leaf(base);
    const Place& place = places[axis];
    const size_t cell_a = base + place.a * cells.stride[axis], cell_b = base + place.b * cells.stride[axis];
    if (place.exact) return reduce(axis + 1, cell_a, want_light);
    const bool beyond = place.step != AxisStep::inside;
    const bool in_work = beyond || (cells.sol && cells.law.axis[axis].inside == AxisCoordinate::work);
    const bool on_line = place.a != place.b && (cells.straight >> axis & 1) != 0;
    const bool want_ends = in_work || (want_light && on_line);
    const double x = at[axis], key_a = cells.keys[axis][place.a], key_b = cells.keys[axis][place.b];
    at[axis] = key_a;
    const Value a = reduce(axis + 1, cell_a, want_ends);
    at[axis] = key_b;
    const Value b = place.a == place.b ? a : reduce(axis + 1, cell_b, want_ends);
    at[axis] = x;
    const double plain = (x - key_a) / (key_b - key_a);
    SolParts there{};
    if (in_work || want_light)
      there = on_line ? perfatlas::on_line(a.light, b.light, plain) : cells.sol(at.data());
    if (beyond)
      return {latency_beyond(cells.law, axis, x, {key_a, a.latency_ms}, {key_b, b.latency_ms},
                             {a.light, b.light, there}),
              a.power_w, there};
    see_bracket(axis, a, b, cell_a, cell_b);
    const double share = in_work ? share_in_work(a.light, b.light, there, plain) : plain;
    return {a.latency_ms + (b.latency_ms - a.latency_ms) * share, a.power_w + (b.power_w - a.power_w) * share,
            there};
  }

  /// Errors of the axes that were not met exactly, added as if independent.
  BarWidths half_width(const AtlasBars& bars) const {
    std::array<float, 3> squares{};
    for (size_t d = 0; d < cells.law.axes; ++d) {
      const Place& place = places[d];
      const bool holes = (axes_with_holes >> d & 1) != 0;
      if (place.exact && !holes) continue;
      size_t bin = spread_bin(spread[d]);
      if (place.step != AxisStep::inside) {
        double octaves = std::abs(std::log2(at[d] / cells.keys[d][place.a]));
        // From a hole that was itself extrapolated on this axis the distance to what was measured is longer.
        if (holes && hole_step[d] == place.step) octaves += octaves_of_bin(hole_bin[d]);
        bin = octave_bin(octaves);
      }
      static constexpr BarWidths kNothing{};
      const BarWidths& own = place.exact ? kNothing : bars.of(d, place.step, bin);
      const BarWidths& hole = holes ? bars.of(d, hole_step[d], hole_bin[d]) : kNothing;
      for (size_t level = 0; level < 3; ++level) {
        const float width = std::max(own[level], hole[level]);
        squares[level] += width * width;
      }
    }
    return {std::sqrt(squares[0]), std::sqrt(squares[1]), std::sqrt(squares[2])};
  }
};

AtlasEstimate AtlasSlice::estimate(const double* at, const AtlasBars& bars) const {
  std::array<Place, kMaxAxes> places;
  bool exact = true, beyond = false;
  size_t cell = 0, upper = 0;
  for (size_t d = 0; d < cells_.law.axes; ++d) {
    places[d] = place_of(d, at[d]);
    upper += places[d].b * cells_.stride[d];
    exact &= places[d].exact;
    beyond |= places[d].step != AxisStep::inside;
    cell += places[d].a * cells_.stride[d];
  }
  if (exact) return cell_estimate(cell, bars);
  if (beyond && !cells_.sol) return {};
  Walk walk{cells_, places, {}};
  std::copy_n(at, cells_.law.axes, walk.at.begin());
  const Walk::Value value = walk.reduce(0, 0, beyond);
  AtlasEstimate e{.kind = beyond ? EstimateKind::held : EstimateKind::interpolated,
                  .latency_ms = value.latency_ms,
                  .power_w = value.power_w,
                  .half_width = walk.half_width(bars)};
  if (!beyond && !curve_.empty()) e.latency_ms = curve_.at(at[0]);
  e.faster_than_light = walk.faster_than_light;
  if (!cells_.sol) return e;
  // More work never has a lower bound: above that of the upper corner there is nothing to check.
  if (!beyond && e.latency_ms >= cells_.bound_ms(upper)) return e;
  const double bound = (beyond ? value.light : cells_.sol(at)).bound_ms();
  if (!e.faster_than_light) e.latency_ms = std::max(e.latency_ms, bound);
  if (beyond) e.latency_ms = std::max(e.latency_ms, bound / cells_.best_utilisation);
  return e;
}

std::vector<Support> AtlasSlice::support(const double* at) const {
  std::vector<std::pair<size_t, double>> corners{{0, 1.0}};
  std::array<double, kMaxAxes> where{};
  std::copy_n(at, cells_.law.axes, where.begin());
  for (size_t d = 0; d < cells_.law.axes; ++d) {
    const Place place = place_of(d, at[d]);
    const size_t a = place.a * cells_.stride[d], b = place.b * cells_.stride[d];
    double share = 0;
    if (!place.exact && place.step == AxisStep::inside)
      share = share_between(cells_.law, cells_.sol, d, where.data(), cells_.keys[d][place.a],
                            cells_.keys[d][place.b]);
    std::vector<std::pair<size_t, double>> next;
    for (const auto& [base, weight] : corners) {
      next.emplace_back(base + a, weight * (1 - share));
      if (place.a != place.b) next.emplace_back(base + b, weight * share);
    }
    corners = std::move(next);
  }
  std::map<uint32_t, double> shares;
  for (const auto& [cell, share] : corners) shares[nearest_point(cell)] += share;
  std::vector<Support> supports;
  for (const auto& [point, share] : shares) supports.push_back({point, share});
  std::stable_sort(supports.begin(), supports.end(),
                   [](const Support& x, const Support& y) { return x.weight > y.weight; });
  return supports;
}

uint32_t AtlasSlice::nearest_point(size_t cell) const {
  const CellState state = cells_.state[cell];
  if (state == CellState::measured || state == CellState::doubtful) return cells_.point[cell];
  const auto octave = [&](size_t other, size_t d) {
    return std::log2(std::max(0.5, cells_.keys[d][other / cells_.stride[d] % cells_.keys[d].size()]));
  };
  double nearest = std::numeric_limits<double>::infinity();
  uint32_t point = cells_.point[cell];
  for (size_t other = 0; other < cells_.size(); ++other) {
    if (!cells_.trusted(other)) continue;
    double distance = 0;
    for (size_t d = 0; d < cells_.law.axes; ++d) distance += std::pow(octave(other, d) - octave(cell, d), 2);
    if (distance >= nearest) continue;
    nearest = distance;
    point = cells_.point[other];
  }
  return point;
}

}  // namespace perfatlas
