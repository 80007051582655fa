// SPDX-License-Identifier: Apache-2.0
// Error bars of the engine "atlas": every table calibrates itself by the leave-outs that its own grid allows, in bins
// of what is known when a query is answered.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/interp/atlas_cells.h"

namespace perfatlas {

/// Half-widths of the central 50, 80 and 95 % intervals, as natural logarithms: [v*exp(-w), v*exp(w)].
using BarWidths = std::array<float, 3>;

/// Quantiles of absolute errors (logarithms) by bin. Bins of fewer than 40 take those of their neighbours as well, and
/// widths never shrink as the bin rises; fewer than 10 altogether: `prior`.
std::array<BarWidths, kBarBins> bars_of_bins(const std::array<std::vector<float>, kBarBins>& errors,
                                             const BarWidths& prior);

/// The quantiles of one table.
struct AtlasBars {
  std::array<std::array<std::array<BarWidths, kBarBins>, 3>, kMaxAxes> widths;
  BarWidths
      exact;  // of a measured row: what one row's own noise must be. Estimated: rows are not measured twice
  uint32_t samples = 0;  // leave-outs behind the widths

  const BarWidths& of(size_t axis, AxisStep step, size_t bin) const {
    return widths[axis][size_t(step)][bin];
  }

  /// What is assumed where fewer than ten leave-outs are possible: .02/.06/.2 inside, .08/.3/.8 beyond.
  static AtlasBars prior();
  bool operator==(const AtlasBars&) const = default;
};

/// Bytes for an index beside the data, the same on every machine with IEEE floats, little-endian.
std::string to_bytes(const AtlasBars& bars);
/// Throws Error when the bytes are not those of to_bytes.
AtlasBars bars_from_bytes(std::string_view bytes);

/// Collects the leave-outs of a table slice by slice.
class BarCalibration {
 public:
  /// `share`: of the cells of each slice that are looked at, chosen by `seed`.
  BarCalibration(double share, uint64_t seed) : share_(share), seed_(seed) {}

  /// On each axis' line through each chosen cell: an inner cell without itself; the last cells without the last 1 to
  /// 7 keys; the first two without the first 1 or 2.
  void add(const AtlasCells& cells);

  /// Takes over the leave-outs of another part of the same table.
  void merge(const BarCalibration& other);

  AtlasBars bars() const;

 private:
  struct Line;
  void add_line(const AtlasCells& cells, size_t cell, size_t axis);
  void add_inner(const AtlasCells& cells, const Line& line);
  void add_beyond(const AtlasCells& cells, const Line& line, size_t gone, AxisStep step);
  void record(size_t axis, AxisStep step, size_t bin, double predicted, double measured);

  double share_;
  uint64_t seed_;
  size_t axes_ = 0;
  std::array<std::array<std::array<std::vector<float>, kBarBins>, 3>, kMaxAxes> errors_;
};

/// The share that looks at about 40,000 cells of a table of `rows`.
double calibration_share(size_t rows);

}  // namespace perfatlas
