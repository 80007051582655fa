// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_fill_impl.h"
#include "perfatlas/interp/atlas_polynomial.h"

namespace perfatlas {
namespace {

constexpr double kEmpty = std::numeric_limits<double>::quiet_NaN();
constexpr double kSpoiledBox = 1.3, kSpoiledCurve = 2.0;  // 0 to 0.45 % of published rows
constexpr double kRepair = 2.0;

std::array<std::vector<double>, kMaxAxes> distinct_keys(size_t axes, std::span<const MeasuredPoint> points) {
  std::array<std::vector<double>, kMaxAxes> keys;
  for (size_t d = 0; d < axes; ++d) {
    const std::vector<int64_t> values = distinct_values(points, d);
    keys[d].assign(values.begin(), values.end());
  }
  return keys;
}

void place_points(AtlasCells& cells, std::span<const MeasuredPoint> points) {
  const bool has_power = std::any_of(points.begin(), points.end(),
                                     [](const MeasuredPoint& p) { return p.energy_mj.has_value(); });
  if (has_power) cells.power_w.assign(cells.size(), float(kEmpty));
  for (uint32_t i = 0; i < points.size(); ++i) {
    size_t cell = 0;
    for (size_t d = 0; d < cells.law.axes; ++d) {
      const std::vector<double>& keys = cells.keys[d];
      const auto at = std::lower_bound(keys.begin(), keys.end(), double(points[i].at[d]));
      cell += size_t(at - keys.begin()) * cells.stride[d];
    }
    if (cells.point[cell] != AtlasCells::kNone) continue;
    cells.point[cell] = i;
    cells.latency_ms[cell] = points[i].latency_ms;
    cells.state[cell] = CellState::measured;
    if (points[i].energy_mj) cells.power_w[cell] = float(*points[i].energy_mj / points[i].latency_ms);
  }
}

/// The next measured cell on the line of `cell` along `axis`, or the cell itself.
size_t next_measured(const AtlasCells& cells, size_t cell, size_t axis) {
  const size_t stride = cells.stride[axis], keys = cells.keys[axis].size();
  const size_t index = cell / stride % keys;
  for (size_t i = index + 1; i < keys; ++i)
    if (const size_t other = cell + (i - index) * stride; cells.point[other] != AtlasCells::kNone)
      return other;
  return cell;
}

bool is_spoiled(const AtlasCells& cells, size_t cell) {
  const double limit = cells.law.axes >= 2 ? kSpoiledBox : kSpoiledCurve;
  const size_t least = cells.law.axes >= 2 ? 2 : 1;
  size_t with_next = 0;
  for (size_t d = 0; d < cells.law.axes; ++d) {
    const size_t next = next_measured(cells, cell, d);
    if (next == cell) continue;
    if (!(cells.latency_ms[cell] > limit * cells.latency_ms[next])) return false;
    ++with_next;
  }
  return with_next >= least;
}

std::vector<size_t> spoiled_cells(const AtlasCells& cells) {
  std::vector<size_t> spoiled;
  for (size_t cell = 0; cell < cells.size(); ++cell)
    if (cells.state[cell] == CellState::measured && is_spoiled(cells, cell)) spoiled.push_back(cell);
  return spoiled;
}

void set_bounds(AtlasCells& cells) {
  cells.light.assign(cells.size(), {});
  if (!cells.sol) return;
  std::array<double, kMaxAxes> at{};
  for (size_t cell = 0; cell < cells.size(); ++cell) {
    for (size_t d = 0; d < cells.law.axes; ++d)
      at[d] = cells.keys[d][cell / cells.stride[d] % cells.keys[d].size()];
    cells.light[cell] = cells.sol(at.data());
    if (cells.trusted(cell))
      cells.best_utilisation =
          std::max(cells.best_utilisation, cells.bound_ms(cell) / cells.latency_ms[cell]);
  }
  std::array<double, kMaxAxes> low{}, high{};
  for (size_t d = 0; d < cells.law.axes; ++d) {
    low[d] = cells.keys[d].front();
    high[d] = cells.keys[d].back();
  }
  cells.straight = straight_axes(cells.sol, cells.law.axes, low, high);
}

/// Every cell that is not trusted gets what the trusted ones say.
void fill(AtlasCells& cells) {
  const AtlasFill filler(cells);
  const LogCurve curve = cells.law.log_curve ? curve_through(cells, true) : LogCurve();
  std::vector<std::pair<size_t, AtlasFill::Value>> found;
  for (size_t cell = 0; cell < cells.size(); ++cell)
    if (!cells.trusted(cell)) found.emplace_back(cell, filler.at(cell));
  if (!found.empty()) cells.hole.assign(cells.size(), HoleKind::kNone);
  for (const auto& [cell, value] : found) {
    double latency = value.latency_ms;
    if (!curve.empty() && !value.beyond) latency = curve.at(cells.keys[0][cell]);
    if (value.beyond) latency = std::max(latency, cells.bound_ms(cell) / cells.best_utilisation);
    if (!cells.power_w.empty()) cells.power_w[cell] = float(value.power_w);
    cells.hole[cell] = value.kind.packed();
    CellState& state = cells.state[cell];
    if (state != CellState::doubtful)
      state = value.beyond ? CellState::extrapolated : CellState::filled;
    else if (cells.latency_ms[cell] > kRepair * latency)
      state = CellState::repaired;
    else
      cells.doubtful_ms.emplace_back(uint32_t(cell), cells.latency_ms[cell]);
    cells.latency_ms[cell] = latency;
  }
}

}  // namespace

double AtlasCells::measured_ms(size_t cell) const {
  if (state[cell] == CellState::measured) return latency_ms[cell];
  const auto at = std::lower_bound(doubtful_ms.begin(), doubtful_ms.end(), std::pair(uint32_t(cell), 0.0));
  PERFATLAS_ASSERT(at != doubtful_ms.end() && at->first == cell);
  return at->second;
}

LogCurve curve_through(const AtlasCells& cells, bool trusted_only) {
  if (cells.law.axes != 1 || !(cells.keys[0][0] > 0)) return {};
  std::vector<double> keys, latency;
  for (size_t cell = 0; cell < cells.size(); ++cell) {
    if (trusted_only && !cells.trusted(cell)) continue;
    keys.push_back(cells.keys[0][cell]);
    latency.push_back(cells.latency_ms[cell]);
  }
  return keys.size() < 2 ? LogCurve() : LogCurve(keys, latency);
}

std::vector<int64_t> distinct_values(std::span<const MeasuredPoint> points, size_t axis) {
  // Thousands of points share a few dozen keys: looking each up takes a tenth of the time of sorting all.
  std::vector<int64_t> values;
  int64_t last = -1;
  for (const MeasuredPoint& point : points) {
    if (point.at[axis] == last) continue;
    last = point.at[axis];
    const auto at = std::lower_bound(values.begin(), values.end(), last);
    if (at == values.end() || *at != last) values.insert(at, last);
  }
  return values;
}

size_t box_cells(size_t axes, std::span<const MeasuredPoint> points) {
  size_t cells = 1;
  for (size_t d = 0; d < axes; ++d) cells *= std::max<size_t>(1, distinct_values(points, d).size());
  return cells;
}

uint32_t upper_anchor_of(std::span<const double> keys) {
  const auto after = std::upper_bound(keys.begin(), keys.end(), keys.back() / 4);
  return after == keys.begin() ? 0 : uint32_t(after - keys.begin() - 1);
}

uint32_t lower_anchor_of(std::span<const double> keys) {
  const auto at = std::lower_bound(keys.begin(), keys.end(), keys.front() * 4);
  return uint32_t(at == keys.end() ? keys.size() - 1 : size_t(at - keys.begin()));
}

AtlasCells make_cells(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                      CellOptions options) {
  PERFATLAS_ASSERT(!points.empty());
  AtlasCells cells{.law = law, .sol = std::move(sol), .keys = distinct_keys(law.axes, points)};
  size_t size = 1;
  for (size_t d = law.axes; d-- > 0;) {
    cells.stride[d] = size;
    size *= cells.keys[d].size();
    cells.upper_anchor[d] = upper_anchor_of(cells.keys[d]);
    cells.lower_anchor[d] = lower_anchor_of(cells.keys[d]);
  }
  PERFATLAS_ASSERT(size <= kMostCells);
  cells.latency_ms.assign(size, kEmpty);
  cells.state.assign(size, CellState::filled);
  cells.point.assign(size, AtlasCells::kNone);
  place_points(cells, points);
  if (!options.trust_every_row)
    for (const size_t cell : spoiled_cells(cells)) cells.state[cell] = CellState::doubtful;
  set_bounds(cells);
  fill(cells);
  return cells;
}

}  // namespace perfatlas
