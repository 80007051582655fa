// SPDX-License-Identifier: Apache-2.0
// How a slice is asked: the cells around the question are gathered once, and then combined two by two along the axes
// that were not met exactly, innermost first. Work is taken from the cells where it is a straight line; the law is
// asked for the rest.
#include <algorithm>
#include <cmath>

#include "perfatlas/interp/atlas_slice.h"

namespace perfatlas {
namespace {

constexpr size_t kMostCorners = size_t{1} << kMaxAxes;

/// An axis that was not met exactly.
struct OpenAxis {
  uint8_t axis;
  AxisStep step;
  bool in_work;     // its share, or its step beyond, goes by work
  bool on_line;     // work at the question is on the straight line through the arms
  bool want_there;  // work at the question on this axis is needed
  double plain;     // share of the second arm, linear in the value
  double key_a, key_b, x;
  std::ptrdiff_t to_b;  // from a cell of the first arm to that of the second

  bool beyond() const { return step != AxisStep::inside; }
};

}  // namespace

/// One question on its way from the cells to an answer.
class AtlasSlice::Walk {
 public:
  Walk(const AtlasSlice& slice, const double* at) : slice_(slice), hot_(slice.hot_) {
    for (size_t d = 0; d < hot_.axes; ++d) {
      at_[d] = at[d];
      const AxisPlace place = hot_.axis[d]->place_of(at[d]);
      first_cell_ += size_t(place.a) * hot_.stride[d];
      if (!place.exact) open(d, place);
    }
  }

  bool exact() const { return count_ == 0; }
  bool beyond() const { return beyond_; }
  /// The cell that was met exactly, else the first corner.
  size_t first_cell() const { return first_cell_; }

  /// Latency, power and, beyond the data, the speed of light at the question. REQUIRES: not exact.
  void run() {
    gather();
    plan_light();
    size_t pairs = corners();
    for (size_t k = count_; k-- > 0;) {
      pairs /= 2;
      reduce(k, pairs);
    }
  }

  double latency_ms() const { return latency_[0]; }
  double power_w() const { return hot_.has_power ? power_[0] : std::numeric_limits<double>::quiet_NaN(); }
  SolParts light() const { return light_at(0); }
  bool faster_than_light() const { return faster_than_light_; }
  /// Inside, more work than the question.
  const AtlasCell& last_corner() const { return *corner_[corners() - 1]; }

  /// Errors of the axes that were not met exactly, added as if independent.
  BarWidths half_width(const AtlasBars& bars) const {
    static constexpr BarWidths kNothing{};
    std::array<float, 3> squares{};
    for (size_t d = 0, k = 0; d < hot_.axes; ++d) {
      const bool is_open = k < count_ && open_[k].axis == d, holes = (axes_with_holes_ >> d & 1) != 0;
      if (!is_open && !holes) continue;
      const BarWidths& own = is_open ? bars.of(d, open_[k].step, own_bin(open_[k])) : kNothing;
      const BarWidths& hole = holes ? bars.of(d, worst_hole_[d].step, worst_hole_[d].bin) : kNothing;
      for (size_t level = 0; level < 3; ++level) {
        const float width = std::max(own[level], hole[level]);
        squares[level] += width * width;
      }
      k += is_open ? 1 : 0;
    }
    return {std::sqrt(squares[0]), std::sqrt(squares[1]), std::sqrt(squares[2])};
  }

 private:
  size_t corners() const { return size_t{1} << count_; }
  SolParts light_at(size_t i) const { return {math_[i], memory_[i]}; }
  void set_light(size_t i, const SolParts& light) {
    math_[i] = light.math_ms;
    memory_[i] = light.memory_ms;
  }

  void open(size_t d, const AxisPlace& place) {
    OpenAxis& o = open_[count_++];
    const std::span<const double> keys = hot_.axis[d]->keys();
    o.axis = uint8_t(d);
    o.step = place.step;
    o.x = at_[d];
    o.key_a = keys[place.a];
    o.key_b = keys[place.b];
    o.plain = (o.x - o.key_a) / (o.key_b - o.key_a);
    o.in_work = o.beyond() || (hot_.inside_in_work >> d & 1) != 0;
    o.on_line = place.a != place.b && (hot_.straight >> d & 1) != 0;
    o.to_b = (std::ptrdiff_t(place.b) - std::ptrdiff_t(place.a)) * std::ptrdiff_t(hot_.stride[d]);
    beyond_ |= o.beyond();
    spread_[d] = 1;
  }

  /// The corners; the outermost open axis is the highest bit of their numbers.
  void gather() {
    corner_[0] = hot_.cells + first_cell_;
    for (size_t k = 0, n = 1; k < count_; ++k, n *= 2)
      for (size_t i = n; i-- > 0;) {
        corner_[2 * i + 1] = corner_[i] + open_[k].to_b;
        corner_[2 * i] = corner_[i];
      }
    // No branch depends on a cell here, so that the processor waits for all of them at once.
    unsigned any_hole = 0, any_faster = 0;
    for (size_t i = 0; i < corners(); ++i) {
      latency_[i] = corner_[i]->latency_ms;
      any_hole |= unsigned(corner_[i]->hole) ^ HoleKind::kNone;
      any_faster |= unsigned(corner_[i]->faster_than_light);
    }
    faster_than_light_ = any_faster != 0;
    if (any_hole != 0)
      for (size_t i = 0; i < corners(); ++i)
        if (const uint8_t hole = corner_[i]->hole; hole != HoleKind::kNone) see_hole(HoleKind::unpack(hole));
    if (hot_.has_power)
      for (size_t i = 0; i < corners(); ++i) power_[i] = double(corner_[i]->power_w);
  }

  void see_hole(const HoleKind& hole) {
    const auto bit = uint8_t(1u << hole.axis);
    HoleKind& worst = worst_hole_[hole.axis];
    const bool worse = hole.step != worst.step ? hole.step != AxisStep::inside : hole.bin > worst.bin;
    if ((axes_with_holes_ & bit) != 0 && !worse) return;
    axes_with_holes_ |= bit;
    worst = hole;
  }

  /// On which axes work is needed: beyond the data in the end, and at both ends of every step that goes by work.
  void plan_light() {
    bool want = beyond_;
    for (size_t k = 0; k < count_; ++k) {
      OpenAxis& o = open_[k];
      o.want_there = want || o.in_work;
      want = o.in_work || (want && o.on_line);
    }
    if (want)
      for (size_t i = 0; i < corners(); ++i) set_light(i, corner_[i]->light);
  }

  /// Combines the arms of pairs along the k-th open axis, the inner ones being combined already.
  void reduce(size_t k, size_t pairs) {
    const OpenAxis& o = open_[k];
    if (!o.beyond()) see_brackets(k, pairs);
    if (o.want_there) return reduce_in_work(k, pairs);
    for (size_t i = 0; i < pairs; ++i)
      latency_[i] = latency_[2 * i] + (latency_[2 * i + 1] - latency_[2 * i]) * o.plain;
    if (hot_.has_power)
      for (size_t i = 0; i < pairs; ++i)
        power_[i] = power_[2 * i] + (power_[2 * i + 1] - power_[2 * i]) * o.plain;
  }

  void reduce_in_work(size_t k, size_t pairs) {
    const OpenAxis& o = open_[k];
    const BeyondStep step = o.beyond() ? step_beyond(o.axis, o.key_a, o.x) : BeyondStep();
    for (size_t i = 0; i < pairs; ++i) {
      const Arm a{o.key_a, latency_[2 * i]}, b{o.key_b, latency_[2 * i + 1]};
      const BeyondParts parts{light_at(2 * i), light_at(2 * i + 1),
                              o.on_line ? on_line(light_at(2 * i), light_at(2 * i + 1), o.plain) : ask(k, i)};
      set_light(i, parts.there);
      if (o.beyond()) {
        latency_[i] = latency_beyond(slice_.cells_.law, step, a, b, parts);
        if (hot_.has_power) power_[i] = power_[2 * i];
        continue;
      }
      const double share = o.in_work ? share_in_work(parts.a, parts.b, parts.there, o.plain) : o.plain;
      latency_[i] = a.latency_ms + (b.latency_ms - a.latency_ms) * share;
      if (hot_.has_power) power_[i] = power_[2 * i] + (power_[2 * i + 1] - power_[2 * i]) * share;
    }
  }

  /// The law with the outer open axes at the keys of pair `i`, the others at the question.
  SolParts ask(size_t k, size_t i) const {
    std::array<double, kMaxAxes> at = at_;
    for (size_t outer = 0; outer < k; ++outer)
      at[open_[outer].axis] = (i >> (k - 1 - outer) & 1) != 0 ? open_[outer].key_b : open_[outer].key_a;
    return slice_.cells_.sol(at.data());
  }

  /// Widens the spread of the k-th open axis by the brackets of all pairs. Of the ratio of their speeds of light only
  /// the bin matters, so it is read at the inner axes' first keys.
  void see_brackets(size_t k, size_t pairs) {
    double widest = 1;
    const size_t inner = corners() / (2 * pairs);
    for (size_t i = 0; i < pairs; ++i) {
      widest =
          std::max(widest, spread_of(latency_[2 * i], latency_[2 * i + 1], corner_[2 * i * inner]->bound_ms(),
                                     corner_[(2 * i + 1) * inner]->bound_ms()));
    }
    spread_[open_[k].axis] = widest;
  }

  size_t own_bin(const OpenAxis& o) const {
    if (!o.beyond()) return spread_bin(spread_[o.axis]);
    const double ratio = o.step == AxisStep::above ? o.x / o.key_a : o.key_a / o.x;
    const HoleKind& hole = worst_hole_[o.axis];
    // From a hole that was itself extrapolated on this axis the distance to what was measured is longer.
    if ((axes_with_holes_ >> o.axis & 1) != 0 && hole.step == o.step)
      return octave_bin(std::log2(ratio) + octaves_of_bin(hole.bin));
    return octave_bin_of_ratio(ratio);
  }

  const AtlasSlice& slice_;
  const Hot& hot_;
  size_t count_ = 0, first_cell_ = 0;  // open axes; cell of their first arms
  bool beyond_ = false, faster_than_light_ = false;
  uint8_t axes_with_holes_ = 0;  // bits
  std::array<double, kMaxAxes> at_{};
  // What follows is written before it is read, and not cleared: that would take as long as the rest.
  std::array<OpenAxis, kMaxAxes> open_;
  std::array<double, kMaxAxes> spread_;
  std::array<HoleKind, kMaxAxes> worst_hole_;
  std::array<const AtlasCell*, kMostCorners> corner_;
  std::array<double, kMostCorners> latency_, power_, math_, memory_;  // of what is combined so far
};

AtlasEstimate AtlasSlice::cell_estimate(size_t number, const AtlasBars& bars) const {
  const AtlasCell& cell = hot_.cells[number];
  AtlasEstimate e{.kind = EstimateKind::exact,
                  .latency_ms = cell.latency_ms,
                  .power_w = double(cell.power_w),
                  .half_width = bars.exact,
                  .faster_than_light = cell.faster_than_light};
  if (cell.trusted()) return e;
  if (cell.state == CellState::doubtful) {
    e.latency_ms = cells_.measured_ms(number);
    e.faster_than_light = e.latency_ms < cell.bound_ms();
    return e;
  }
  e.repaired = cell.state == CellState::repaired;
  if (cell.state == CellState::filled) e.kind = EstimateKind::interpolated;
  if (cell.state == CellState::extrapolated) e.kind = EstimateKind::held;
  const HoleKind hole = HoleKind::unpack(cell.hole);
  e.half_width = bars.of(hole.axis, hole.step, hole.bin);
  e.latency_ms = std::max(e.latency_ms, cell.bound_ms());
  return e;
}

AtlasEstimate AtlasSlice::estimate(const double* at, const AtlasBars& bars) const {
  Walk walk(*this, at);
  if (walk.exact()) return cell_estimate(walk.first_cell(), bars);
  const bool beyond = walk.beyond();
  if (beyond && !hot_.has_law) return {};
  walk.run();
  AtlasEstimate e{.kind = beyond ? EstimateKind::held : EstimateKind::interpolated,
                  .latency_ms = walk.latency_ms(),
                  .power_w = walk.power_w(),
                  .half_width = walk.half_width(bars),
                  .faster_than_light = walk.faster_than_light()};
  if (!beyond && hot_.has_curve) e.latency_ms = curve_.at(at[0]);
  if (!hot_.has_law) return e;
  // More work never has a lower bound: above that of the last corner there is nothing to check.
  if (!beyond && e.latency_ms >= walk.last_corner().bound_ms()) return e;
  const double bound = (beyond ? walk.light() : cells_.sol(at)).bound_ms();
  if (!e.faster_than_light) e.latency_ms = std::max(e.latency_ms, bound);
  if (beyond) e.latency_ms = std::max(e.latency_ms, bound / cells_.best_utilisation);
  return e;
}

}  // namespace perfatlas
