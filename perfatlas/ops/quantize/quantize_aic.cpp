// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/quantize/quantize_aic.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

constexpr double bytes_per_element(QuantizePart part) { return part == QuantizePart::compute_scale ? 2 : 3; }
constexpr std::string_view id_of(QuantizePart part) {
  return part == QuantizePart::compute_scale ? "compute_scale" : "scale_matrix";
}

}  // namespace

/// The 8-bit float rows over (m, k).
struct QuantizeCost::Table {
  std::string name;
  std::unique_ptr<const Surface> surface;  // null: no rows
  Coordinates least{}, largest{};

  Table(QuantizePart part, const Database& database, SharedLayer shared)
      : name(database.table_name(id_of(part))) {
    const auto rows = database.rows(id_of(part), shared);
    const TableFields fields(*rows, {"quant_dtype", "m", "k"});
    const auto fp8 = fields.value_of(0, "fp8");
    PointList points(*rows);
    for (uint32_t row = 0; fp8 && row < rows->size(); ++row)
      if (fields(row, 0) == *fp8) points.add({fields(row, 1), fields(row, 2)}, row);
    if (points.empty()) return;
    least = largest = points.points()[0].at;
    for (const MeasuredPoint& point : points.points())
      for (size_t axis = 0; axis < 2; ++axis) {
        least[axis] = std::min(least[axis], point.at[axis]);
        largest[axis] = std::max(largest[axis], point.at[axis]);
      }
    const double scale = bytes_per_element(part) / database.system().mem_bw * 1e3;
    surface = std::make_unique<const Surface>(
        AxisLayout{.axes = 2}, std::move(points),
        [scale](const Coordinates& at) { return scale * double(at[0]) * double(at[1]); });
  }
};

namespace {

template <QuantizePart part, class Table>
struct QuantizeFamily {
  Table table;
  QuantizeFamily(const Database& database, SharedLayer shared) : table(part, database, shared) {}
};

/// Scaled to the range of the points, not moved into it; the first of equals. REQUIRES: points in ascending order.
const MeasuredPoint& nearest_point(const std::vector<MeasuredPoint>& points, int64_t m, int64_t k) {
  std::vector<std::vector<double>> places;
  places.reserve(points.size());
  for (const MeasuredPoint& point : points) places.push_back({double(point.at[0]), double(point.at[1])});
  return points[nearest_candidate(places, {double(m), double(k)})];
}

}  // namespace

QuantizeCost::QuantizeCost(QuantizePart part, const Binding& binding)
    : part_(part), mode_(binding.mode), bytes_per_second_(binding.system().mem_bw) {
  if (mode_ == Mode::sol || mode_ == Mode::sol_full) return;
  table_ = part == QuantizePart::compute_scale
               ? &binding.family<QuantizeFamily<QuantizePart::compute_scale, Table>>().table
               : &binding.family<QuantizeFamily<QuantizePart::scale_matrix, Table>>().table;
}

QuantizeCost::~QuantizeCost() = default;

double QuantizeCost::sol_ms(int64_t m, int64_t k) const {
  return bytes_per_element(part_) * double(m) * double(k) / bytes_per_second_ * 1e3;
}

Price QuantizeCost::price(int64_t m, int64_t k) const {
  if (mode_ == Mode::sol || mode_ == Mode::sol_full) return sol_price_of({.memory_ms = sol_ms(m, k)});
  if (mode_ == Mode::empirical) return empirical(m, k);
  const Price measured = silicon(m, k);
  return mode_ == Mode::hybrid && lacks_data(measured.failure) ? empirical(m, k) : measured;
}

Price QuantizeCost::silicon(int64_t m, int64_t k) const {
  if (!table_->surface) return Price::failed(Failure::perf_data_not_available);
  const Coordinates inside{std::clamp(m, table_->least[0], table_->largest[0]),
                           std::clamp(k, table_->least[1], table_->largest[1])};
  Price price = table_->surface->price(inside);
  if (part_ == QuantizePart::scale_matrix && price.ok() && inside != Coordinates{m, k})
    price *= sol_ms(m, k) / sol_ms(inside[0], inside[1]);
  return price;
}

Price QuantizeCost::empirical(int64_t m, int64_t k) const {
  if (!table_->surface) return Price::failed(Failure::empirical_not_implemented);
  if (part_ == QuantizePart::scale_matrix) {
    const auto utilisation = table_->surface->utilisation({m, k});
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    return empirical_price(sol_ms(m, k), *utilisation, Provenance::empirical);
  }
  const MeasuredPoint& nearest = nearest_point(table_->surface->points(), m, k);
  const double there = sol_ms(nearest.at[0], nearest.at[1]);
  return {.latency_ms = nearest.latency_ms > 0 ? sol_ms(m, k) / (there / nearest.latency_ms) : 0,
          .source = Source::empirical,
          .provenance = Provenance::empirical};
}

std::string QuantizeCost::explain() const {
  if (!table_->surface) return "there is no " + table_->name + " table with fp8 rows";
  return {};
}

}  // namespace perfatlas::aic
