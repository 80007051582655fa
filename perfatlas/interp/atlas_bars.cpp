// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_bars.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_curve.h"

namespace perfatlas {
namespace {

constexpr BarWidths kPriorInside{.02f, .06f, .2f}, kPriorBeyond{.08f, .3f, .8f};
constexpr std::array<double, 3> kLevels{.5, .8, .95};
constexpr size_t kFullBin = 40, kLeast = 10;
constexpr float kOneRow =
    1.22f;  // sqrt(1.5): a residual holds half the noise of each neighbour beside its own
constexpr size_t kCalibratedCells = 40'000;

uint64_t mixed(uint64_t x) {  // splitmix64's finaliser
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// The q-quantile by linear interpolation between order statistics. Sorts.
float quantile(std::vector<float>& values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * double(values.size() - 1);
  const size_t low = size_t(at);
  const size_t high = std::min(low + 1, values.size() - 1);
  return float(values[low] + (values[high] - values[low]) * (at - double(low)));
}

using Bins = std::array<std::vector<float>, kBarBins>;

/// The leave-outs of a bin, and of its neighbours on both sides while there are too few.
std::vector<float> around(const Bins& bins, size_t bin) {
  std::vector<float> joined = bins[bin];
  for (size_t reach = 1; joined.size() < kFullBin && reach < kBarBins; ++reach) {
    if (bin >= reach) joined.insert(joined.end(), bins[bin - reach].begin(), bins[bin - reach].end());
    if (bin + reach < kBarBins)
      joined.insert(joined.end(), bins[bin + reach].begin(), bins[bin + reach].end());
  }
  return joined;
}

constexpr std::string_view kMagic = "atlasbars1";

}  // namespace

std::array<BarWidths, kBarBins> bars_of_bins(const std::array<std::vector<float>, kBarBins>& bins,
                                             const BarWidths& prior) {
  std::array<BarWidths, kBarBins> widths;
  widths.fill(prior);
  BarWidths least{};
  for (size_t bin = 0; bin < kBarBins; ++bin) {
    std::vector<float> joined = around(bins, bin);
    if (joined.size() < kLeast) return widths;  // all bins together are too few
    for (size_t level = 0; level < kLevels.size(); ++level)
      least[level] = std::max(least[level], quantile(joined, kLevels[level]));
    widths[bin] = least;
  }
  return widths;
}

AtlasBars AtlasBars::prior() {
  AtlasBars bars;
  for (auto& axis : bars.widths) {
    axis[size_t(AxisStep::inside)].fill(kPriorInside);
    axis[size_t(AxisStep::above)].fill(kPriorBeyond);
    axis[size_t(AxisStep::below)].fill(kPriorBeyond);
  }
  for (size_t level = 0; level < 3; ++level) bars.exact[level] = kPriorInside[level] / kOneRow;
  return bars;
}

std::string to_bytes(const AtlasBars& bars) {
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&bars.samples), sizeof bars.samples);
  bytes.append(reinterpret_cast<const char*>(&bars.exact), sizeof bars.exact);
  bytes.append(reinterpret_cast<const char*>(&bars.widths), sizeof bars.widths);
  return bytes;
}

AtlasBars bars_from_bytes(std::string_view bytes) {
  AtlasBars bars;
  if (bytes.size() != kMagic.size() + sizeof bars.samples + sizeof bars.exact + sizeof bars.widths ||
      !bytes.starts_with(kMagic))
    throw Error("calibration bytes are damaged or of another revision; make the index anew");
  const char* from = bytes.data() + kMagic.size();
  std::memcpy(&bars.samples, from, sizeof bars.samples);
  std::memcpy(&bars.exact, from += sizeof bars.samples, sizeof bars.exact);
  std::memcpy(&bars.widths, from + sizeof bars.exact, sizeof bars.widths);
  return bars;
}

/// The trusted cells on one line through a cell, with the position of the cell among them.
struct BarCalibration::Line {
  size_t axis = 0;
  size_t place = 0;
  std::array<double, kMaxAxes> at{};  // of the cell
  std::vector<double> keys, latency_ms, bound_ms;
};

void BarCalibration::add(const AtlasCells& cells) {
  axes_ = std::max(axes_, cells.law.axes);
  const auto limit = uint64_t(std::min(share_, 1.0) * 4294967295.0);
  for (size_t cell = 0; cell < cells.size(); ++cell) {
    if (!cells.cell[cell].trusted()) continue;
    // By where the cell lies, not by its number, so that the order of rows does not matter.
    if ((mixed(seed_ ^ (cell * 0x9e3779b97f4a7c15u)) & 0xffffffffu) > limit) continue;
    for (size_t axis = 0; axis < cells.law.axes; ++axis) add_line(cells, cell, axis);
  }
}

void BarCalibration::add_line(const AtlasCells& cells, size_t cell, size_t axis) {
  const std::span<const double> keys = cells.keys(axis);
  if (keys.size() < 2) return;
  Line line{.axis = axis, .at = cells.position(cell)};
  const size_t stride = cells.stride[axis];
  const size_t start = cell - cells.index_on(axis, cell) * stride;
  for (size_t i = 0; i < keys.size(); ++i) {
    const size_t other = start + i * stride;
    const AtlasCell& there = cells.cell[other];
    if (!there.trusted()) continue;
    if (other == cell) line.place = line.keys.size();
    line.keys.push_back(keys[i]);
    line.latency_ms.push_back(there.latency_ms);
    line.bound_ms.push_back(there.bound_ms());
  }
  const size_t points = line.keys.size();
  if (points < 2) return;
  if (line.place > 0 && line.place + 1 < points) add_inner(cells, line);
  if (line.place + 1 == points)
    for (const size_t gone : {1, 2, 3, 5, 7}) add_beyond(cells, line, gone, AxisStep::above);
  else if (line.place + 4 >= points)
    for (const size_t gone : {1, 2, 3}) add_beyond(cells, line, gone, AxisStep::above);
  if (line.place < 2)
    for (const size_t gone : {1, 2}) add_beyond(cells, line, gone, AxisStep::below);
}

void BarCalibration::add_inner(const AtlasCells& cells, const Line& line) {
  const size_t i = line.place;
  std::array<double, kMaxAxes> at = line.at;
  double predicted = 0;
  if (cells.law.log_curve && line.keys[0] > 0) {
    std::vector<double> keys = line.keys, values = line.latency_ms;
    keys.erase(keys.begin() + std::ptrdiff_t(i));
    values.erase(values.begin() + std::ptrdiff_t(i));
    predicted = LogCurve(keys, values).at(line.keys[i]);
  } else {
    const double share =
        share_between(cells.law, cells.sol, line.axis, at.data(), line.keys[i - 1], line.keys[i + 1]);
    predicted = line.latency_ms[i - 1] + (line.latency_ms[i + 1] - line.latency_ms[i - 1]) * share;
  }
  const double spread =
      spread_of(line.latency_ms[i - 1], line.latency_ms[i + 1], line.bound_ms[i - 1], line.bound_ms[i + 1]);
  record(line.axis, AxisStep::inside, spread_bin(spread), predicted, line.latency_ms[i]);
}

void BarCalibration::add_beyond(const AtlasCells& cells, const Line& line, size_t gone, AxisStep step) {
  const bool above = step == AxisStep::above;
  const size_t points = line.keys.size();
  if (above ? line.place < gone : line.place + gone >= points) return;
  const size_t end = above ? line.place - gone : line.place + gone;
  const std::span<const double> keys(line.keys);
  const size_t anchor =
      above ? upper_anchor_of(keys.first(end + 1)) : end + lower_anchor_of(keys.subspan(end));
  std::array<double, kMaxAxes> at = line.at;
  double predicted =
      latency_beyond(cells.law, cells.sol, line.axis, at.data(), {line.keys[end], line.latency_ms[end]},
                     {line.keys[anchor], line.latency_ms[anchor]});
  predicted = std::max(predicted, line.bound_ms[line.place] / cells.best_utilisation);
  const double octaves = std::abs(std::log2(line.keys[line.place] / line.keys[end]));
  record(line.axis, step, octave_bin(octaves), predicted, line.latency_ms[line.place]);
}

void BarCalibration::record(size_t axis, AxisStep step, size_t bin, double predicted, double measured) {
  const double error = std::abs(std::log(predicted / measured));
  if (std::isfinite(error)) errors_[axis][size_t(step)][bin].push_back(float(error));
}

void BarCalibration::merge(const BarCalibration& other) {
  axes_ = std::max(axes_, other.axes_);
  for (size_t axis = 0; axis < errors_.size(); ++axis)
    for (size_t step = 0; step < errors_[axis].size(); ++step)
      for (size_t bin = 0; bin < kBarBins; ++bin) {
        const std::vector<float>& more = other.errors_[axis][step][bin];
        std::vector<float>& all = errors_[axis][step][bin];
        all.insert(all.end(), more.begin(), more.end());
      }
}

AtlasBars BarCalibration::bars() const {
  AtlasBars bars = AtlasBars::prior();
  bars.exact.fill(std::numeric_limits<float>::infinity());
  for (size_t axis = 0; axis < axes_; ++axis) {
    for (size_t step = 0; step < 3; ++step) {
      const Bins& bins = errors_[axis][step];
      bars.widths[axis][step] = bars_of_bins(bins, step == 0 ? kPriorInside : kPriorBeyond);
      for (const auto& bin : bins) bars.samples += uint32_t(bin.size());
    }
    const auto inside = &errors_[axis][size_t(AxisStep::inside)];
    size_t inner = 0;
    for (const auto& bin : *inside) inner += bin.size();
    if (inner < kLeast) continue;  // a prior says nothing about one row's noise
    for (size_t level = 0; level < 3; ++level)
      bars.exact[level] = std::min(bars.exact[level], bars.of(axis, AxisStep::inside, 0)[level] / kOneRow);
  }
  if (std::isinf(bars.exact[0])) bars.exact = AtlasBars::prior().exact;
  return bars;
}

double calibration_share(size_t rows) { return double(kCalibratedCells) / double(std::max<size_t>(1, rows)); }

}  // namespace perfatlas
