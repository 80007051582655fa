// SPDX-License-Identifier: Apache-2.0
// The rows of one slice as a dense box of cells: spoiled rows found, holes filled, so that a query never has to look
// for what is missing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "perfatlas/interp/atlas_axis.h"
#include "perfatlas/interp/atlas_curve.h"
#include "perfatlas/interp/atlas_law.h"
#include "perfatlas/interp/estimate.h"

namespace perfatlas {

enum class CellState : uint8_t {
  measured,
  filled,        // a hole between measured cells
  extrapolated,  // a hole beyond them
  repaired,      // measured, more than twice what its neighbours say: spoiled; holds what they say
  doubtful,  // measured, slower than its next neighbour on every axis, but not by that much: not used for others
};

/// The outermost axis along which a hole was filled, how, and the bin of its error bar (atlas_bars.h).
struct HoleKind {
  uint8_t axis = 0;
  AxisStep step = AxisStep::inside;
  uint8_t bin = 0;

  static constexpr uint8_t kNone = 255;

  uint8_t packed() const { return uint8_t(axis * 24 + uint8_t(step) * 8 + bin); }
  static HoleKind unpack(uint8_t p) { return {uint8_t(p / 24), AxisStep(p / 8 % 3), uint8_t(p % 8)}; }
};

/// Half a cache line: a question reads all of a cell.
struct alignas(32) AtlasCell {
  double latency_ms =
      std::numeric_limits<double>::quiet_NaN();  // once made, no cell is empty; measured: as measured
  SolParts light;                                // speed of light; zeros when unknown
  float power_w = std::numeric_limits<float>::quiet_NaN();  // not a number: unknown
  CellState state = CellState::filled;
  uint8_t hole = HoleKind::kNone;  // how a cell that was not measured came about (HoleKind)
  bool faster_than_light = false;  // trusted, and measured below its speed of light

  double bound_ms() const { return light.bound_ms(); }
  bool trusted() const { return state == CellState::measured; }
};

struct AtlasCells {
  static constexpr uint32_t kNone = UINT32_MAX;

  AtlasLaw law;
  SolLaw sol;
  std::array<std::shared_ptr<const AtlasAxis>, kMaxAxes> axis;
  std::array<size_t, kMaxAxes> stride{};  // innermost axis last: 1
  std::vector<AtlasCell> cell;
  std::vector<uint32_t> point;  // by cell: index of the measured point, or kNone
  std::vector<std::pair<uint32_t, double>>
      doubtful_ms;                // doubtful cells and what was measured there, ascending
  bool has_power = false;         // some point has energy
  double best_utilisation = 0.8;  // of trusted cells, and at least this: no answer is faster beyond the data
  uint8_t straight = 0;           // axes (bits) along which the speed of light is a straight line

  size_t size() const { return cell.size(); }
  std::span<const double> keys(size_t d) const { return axis[d]->keys(); }
  size_t index_on(size_t d, size_t number) const { return number / stride[d] % keys(d).size(); }
  /// The keys of a cell, outermost axis first.
  std::array<double, kMaxAxes> position(size_t number) const;
  /// What a measured cell answers. REQUIRES: it is measured or doubtful.
  double measured_ms(size_t number) const;
};

/// Bin of a step inside by its spread: the smaller of the ratios of latencies and of utilisations of the two arms,
/// each as a factor of at least 1. Flat and perfectly proportional brackets have spread 1.
size_t spread_bin(double ratio);
/// Bin of a step beyond: octaves from the last key.
size_t octave_bin(double octaves);
/// The same by the factor of at least 1 between the two, without a logarithm.
size_t octave_bin_of_ratio(double ratio);
/// A distance in the middle of a bin.
double octaves_of_bin(size_t bin);
/// The spread of two arms; `bound` values of 0 are unknown.
inline double spread_of(double latency_a, double latency_b, double bound_a, double bound_b) {
  // Without branches: a question asks for up to fifteen. A factor that is not a number leaves the first of std::min.
  const auto factor = [](double x, double y) { return std::max(x, y) / std::min(x, y); };
  return std::min(factor(latency_a, latency_b), factor(latency_a * bound_b, latency_b * bound_a));
}
inline constexpr size_t kBarBins = 8;

/// Boxes beyond this are not made: the slice is scattered points, not a grid.
inline constexpr size_t kMostCells = 5'000'000;

/// The keys of an axis, ascending. REQUIRES: coordinates are not negative.
std::vector<int64_t> distinct_values(std::span<const MeasuredPoint> points, size_t axis);

/// Cells of the box that `points` span: the product of the numbers of distinct keys.
size_t box_cells(size_t axes, std::span<const MeasuredPoint> points);

/// Through the cells of one axis, all or the trusted ones. Empty with more axes, fewer than two cells or a key of 0.
LogCurve curve_through(const AtlasCells& cells, bool trusted_only);

struct CellOptions {
  bool trust_every_row = false;  // spoiled rows are used and answered as they are
  AxisPool* axes = nullptr;      // where equal lists of keys are shared; null: nowhere
};

/// A row is taken for spoiled when it is slower by 30 % than the next measured key on every axis that has one, at least
/// two (one axis: twice as slow): more work never costs that much less on all axes at once. Of rows with equal
/// coordinates the first counts.
/// REQUIRES: at least one point; box_cells <= kMostCells; latencies are positive; coordinates are not negative.
AtlasCells make_cells(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                      CellOptions options = {});

}  // namespace perfatlas
