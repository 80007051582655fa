// SPDX-License-Identifier: Apache-2.0
// The rows of one slice as a dense box of cells: spoiled rows found, holes filled, so that a query never has to look
// for what is missing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

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

struct AtlasCells {
  static constexpr uint32_t kNone = UINT32_MAX;

  AtlasLaw law;
  SolLaw sol;
  std::array<std::vector<double>, kMaxAxes> keys;  // sorted, distinct
  std::array<size_t, kMaxAxes> stride{};           // innermost axis last: 1
  std::vector<double> latency_ms;                  // no cell is empty; measured cells: as measured
  std::vector<SolParts> light;                     // speed of light; zeros when unknown
  std::vector<CellState> state;
  std::vector<uint32_t> point;  // index of the measured point, or kNone
  std::vector<std::pair<uint32_t, double>>
      doubtful_ms;             // doubtful cells and what was measured there, ascending
  std::vector<uint8_t> hole;   // how a cell that was not measured came about (see hole_kind); empty: no holes
  std::vector<float> power_w;  // empty: no point has energy; not a number: unknown
  double best_utilisation = 0.8;  // of trusted cells, and at least this: no answer is faster beyond the data
  uint8_t straight = 0;           // axes (bits) along which the speed of light is a straight line
  std::array<uint32_t, kMaxAxes> upper_anchor{}, lower_anchor{};  // two octaves inside the ends

  size_t size() const { return latency_ms.size(); }
  double bound_ms(size_t cell) const { return light[cell].bound_ms(); }
  bool trusted(size_t cell) const { return state[cell] == CellState::measured; }
  /// What a measured cell answers. REQUIRES: it is measured or doubtful.
  double measured_ms(size_t cell) const;
};

/// How an axis was left: between two keys, above the last, below the first.
enum class AxisStep : uint8_t { inside, above, below };

/// The outermost axis along which a hole was filled, how, and the bin of its error bar (atlas_bars.h).
struct HoleKind {
  uint8_t axis = 0;
  AxisStep step = AxisStep::inside;
  uint8_t bin = 0;

  static constexpr uint8_t kNone = 255;

  uint8_t packed() const { return uint8_t(axis * 24 + uint8_t(step) * 8 + bin); }
  static HoleKind unpack(uint8_t p) { return {uint8_t(p / 24), AxisStep(p / 8 % 3), uint8_t(p % 8)}; }
};

/// Bin of a step inside by its spread: the smaller of the ratios of latencies and of utilisations of the two arms,
/// each as a factor of at least 1. Flat and perfectly proportional brackets have spread 1.
size_t spread_bin(double ratio);
/// Bin of a step beyond: octaves from the last key.
size_t octave_bin(double octaves);
/// A distance in the middle of a bin.
double octaves_of_bin(size_t bin);
/// The spread of two arms; `bound` values of 0 are unknown.
double spread_of(double latency_a, double latency_b, double bound_a, double bound_b);
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
};

/// A row is taken for spoiled when it is slower by 30 % than the next measured key on every axis that has one, at least
/// two (one axis: twice as slow): more work never costs that much less on all axes at once. Of rows with equal
/// coordinates the first counts.
/// REQUIRES: at least one point; box_cells <= kMostCells; latencies are positive; coordinates are not negative.
AtlasCells make_cells(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                      CellOptions options = {});

/// Anchor indices on a line: the largest key of at most a quarter of the last (else the first), and the smallest of at
/// least four times the first (else the last).
uint32_t upper_anchor_of(std::span<const double> keys);
uint32_t lower_anchor_of(std::span<const double> keys);

}  // namespace perfatlas
