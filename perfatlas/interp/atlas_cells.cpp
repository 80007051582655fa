// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_cells.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_fill_impl.h"
#include "perfatlas/interp/atlas_polynomial.h"

namespace perfatlas {
namespace {

constexpr double kSpoiledBox = 1.3, kSpoiledCurve = 2.0;  // 0 to 0.45 % of published rows
constexpr double kRepair = 2.0;

std::shared_ptr<const AtlasAxis> axis_through(std::span<const MeasuredPoint> points, size_t axis,
                                              AxisPool* pool) {
  const std::vector<int64_t> values = distinct_values(points, axis);
  std::vector<double> keys(values.begin(), values.end());
  return pool != nullptr ? pool->axis_of(keys) : std::make_shared<const AtlasAxis>(std::move(keys));
}

void place_points(AtlasCells& cells, std::span<const MeasuredPoint> points) {
  cells.has_power = std::any_of(points.begin(), points.end(),
                                [](const MeasuredPoint& p) { return p.energy_mj.has_value(); });
  for (uint32_t i = 0; i < points.size(); ++i) {
    size_t number = 0;
    for (size_t d = 0; d < cells.law.axes; ++d)
      number += cells.axis[d]->place_of(double(points[i].at[d])).a * cells.stride[d];
    if (cells.point[number] != AtlasCells::kNone) continue;
    cells.point[number] = i;
    AtlasCell& cell = cells.cell[number];
    cell.latency_ms = points[i].latency_ms;
    cell.state = CellState::measured;
    if (points[i].energy_mj) cell.power_w = float(*points[i].energy_mj / points[i].latency_ms);
  }
}

/// The next measured cell on the line of `cell` along `axis`, or the cell itself.
size_t next_measured(const AtlasCells& cells, size_t cell, size_t axis) {
  const size_t stride = cells.stride[axis], keys = cells.keys(axis).size();
  const size_t index = cells.index_on(axis, cell);
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
    if (!(cells.cell[cell].latency_ms > limit * cells.cell[next].latency_ms)) return false;
    ++with_next;
  }
  return with_next >= least;
}

std::vector<size_t> spoiled_cells(const AtlasCells& cells) {
  std::vector<size_t> spoiled;
  for (size_t cell = 0; cell < cells.size(); ++cell)
    if (cells.cell[cell].trusted() && is_spoiled(cells, cell)) spoiled.push_back(cell);
  return spoiled;
}

void set_bounds(AtlasCells& cells) {
  if (!cells.sol) return;
  for (size_t number = 0; number < cells.size(); ++number) {
    AtlasCell& cell = cells.cell[number];
    cell.light = cells.sol(cells.position(number).data());
    if (!cell.trusted()) continue;
    cells.best_utilisation = std::max(cells.best_utilisation, cell.bound_ms() / cell.latency_ms);
    cell.faster_than_light = cell.latency_ms < cell.bound_ms();
  }
  std::array<double, kMaxAxes> low{}, high{};
  for (size_t d = 0; d < cells.law.axes; ++d) {
    low[d] = cells.keys(d).front();
    high[d] = cells.keys(d).back();
  }
  cells.straight = straight_axes(cells.sol, cells.law.axes, low, high);
}

/// Every cell that is not trusted gets what the trusted ones say.
void fill(AtlasCells& cells) {
  if (std::all_of(cells.cell.begin(), cells.cell.end(), [](const AtlasCell& c) { return c.trusted(); }))
    return;
  const AtlasFill filler(cells);
  const LogCurve curve = cells.law.log_curve ? curve_through(cells, true) : LogCurve();
  std::vector<std::pair<size_t, AtlasFill::Value>> found;
  for (size_t number = 0; number < cells.size(); ++number)
    if (!cells.cell[number].trusted()) found.emplace_back(number, filler.at(number));
  for (const auto& [number, value] : found) {
    AtlasCell& cell = cells.cell[number];
    double latency = value.latency_ms;
    if (!curve.empty() && !value.beyond) latency = curve.at(cells.keys(0)[number]);
    if (value.beyond) latency = std::max(latency, cell.bound_ms() / cells.best_utilisation);
    cell.power_w = float(value.power_w);
    cell.hole = value.kind.packed();
    if (cell.state != CellState::doubtful)
      cell.state = value.beyond ? CellState::extrapolated : CellState::filled;
    else if (cell.latency_ms > kRepair * latency)
      cell.state = CellState::repaired;
    else
      cells.doubtful_ms.emplace_back(uint32_t(number), cell.latency_ms);
    cell.latency_ms = latency;
  }
}

}  // namespace

std::array<double, kMaxAxes> AtlasCells::position(size_t number) const {
  std::array<double, kMaxAxes> at{};
  for (size_t d = 0; d < law.axes; ++d) at[d] = keys(d)[index_on(d, number)];
  return at;
}

double AtlasCells::measured_ms(size_t number) const {
  if (cell[number].trusted()) return cell[number].latency_ms;
  const auto at = std::lower_bound(doubtful_ms.begin(), doubtful_ms.end(), std::pair(uint32_t(number), 0.0));
  PERFATLAS_ASSERT(at != doubtful_ms.end() && at->first == number);
  return at->second;
}

LogCurve curve_through(const AtlasCells& cells, bool trusted_only) {
  if (cells.law.axes != 1 || !(cells.keys(0)[0] > 0)) return {};
  std::vector<double> keys, latency;
  for (size_t number = 0; number < cells.size(); ++number) {
    if (trusted_only && !cells.cell[number].trusted()) continue;
    keys.push_back(cells.keys(0)[number]);
    latency.push_back(cells.cell[number].latency_ms);
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

AtlasCells make_cells(const AtlasLaw& law, std::span<const MeasuredPoint> points, SolLaw sol,
                      CellOptions options) {
  PERFATLAS_ASSERT(!points.empty());
  AtlasCells cells{.law = law, .sol = std::move(sol)};
  size_t size = 1;
  for (size_t d = law.axes; d-- > 0;) {
    cells.axis[d] = axis_through(points, d, options.axes);
    cells.stride[d] = size;
    size *= cells.keys(d).size();
  }
  PERFATLAS_ASSERT(size <= kMostCells);
  cells.cell.resize(size);
  cells.point.assign(size, AtlasCells::kNone);
  place_points(cells, points);
  if (!options.trust_every_row)
    for (const size_t number : spoiled_cells(cells)) cells.cell[number].state = CellState::doubtful;
  set_bounds(cells);
  fill(cells);
  return cells;
}

}  // namespace perfatlas
