// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/quantize/quantize_aic.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

constexpr double bytes_per_element(Quantize::Pass pass) { return pass == Quantize::Pass::find_scale ? 2 : 3; }
constexpr std::string_view id_of(Quantize::Pass pass) {
  return pass == Quantize::Pass::find_scale ? "compute_scale" : "scale_matrix";
}

}  // namespace

/// The 8-bit float rows over (m, k).
struct QuantizeCost::Table {
  std::string name;
  std::unique_ptr<const Surface> surface;  // null: no rows
  Coordinates least{}, largest{};

  Table(Quantize::Pass pass, const Database& database, SharedLayer shared)
      : name(database.table_name(id_of(pass))) {
    const auto rows = database.rows(id_of(pass), shared);
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
    const double scale = bytes_per_element(pass) / database.system().mem_bw * 1e3;
    surface = std::make_unique<const Surface>(
        AxisLayout{.axes = 2}, std::move(points),
        [scale](const Coordinates& at) { return scale * double(at[0]) * double(at[1]); });
  }

  /// Moved into the range of the points.
  Coordinates nearest(int64_t m, int64_t k) const {
    return {std::clamp(m, least[0], largest[0]), std::clamp(k, least[1], largest[1])};
  }
};

namespace {

template <Quantize::Pass pass, class Table>
struct QuantizeFamily {
  Table table;
  QuantizeFamily(const Database& database, SharedLayer shared) : table(pass, database, shared) {}
};

/// Scaled to the range of the points, not moved into it; the first of equals. REQUIRES: points in ascending order.
const MeasuredPoint& nearest_point(const std::vector<MeasuredPoint>& points, int64_t m, int64_t k) {
  std::vector<std::vector<double>> places;
  places.reserve(points.size());
  for (const MeasuredPoint& point : points) places.push_back({double(point.at[0]), double(point.at[1])});
  return points[nearest_candidate(places, {double(m), double(k)})];
}

}  // namespace

QuantizeCost::QuantizeCost(Quantize::Pass pass, const Binding& binding)
    : pass_(pass), mode_(binding.mode), bytes_per_second_(binding.system().mem_bw) {
  if (mode_ == Mode::sol || mode_ == Mode::sol_full) return;
  table_ = pass == Quantize::Pass::find_scale
               ? &binding.family<QuantizeFamily<Quantize::Pass::find_scale, Table>>().table
               : &binding.family<QuantizeFamily<Quantize::Pass::apply_scale, Table>>().table;
}

QuantizeCost::~QuantizeCost() = default;

double QuantizeCost::sol_ms(int64_t m, int64_t k) const {
  return bytes_per_element(pass_) * double(m) * double(k) / bytes_per_second_ * 1e3;
}

Price QuantizeCost::price(int64_t m, int64_t k) const {
  if (mode_ == Mode::sol || mode_ == Mode::sol_full) return sol_price_of({.memory_ms = sol_ms(m, k)});
  if (mode_ == Mode::empirical) return empirical(m, k);
  const Price measured = silicon(m, k);
  return mode_ == Mode::hybrid && lacks_data(measured.failure) ? empirical(m, k) : measured;
}

Price QuantizeCost::silicon(int64_t m, int64_t k) const {
  if (!table_->surface) return Price::failed(Failure::perf_data_not_available);
  const Coordinates inside = table_->nearest(m, k);
  Price price = table_->surface->price(inside);
  if (pass_ == Quantize::Pass::apply_scale && price.ok() && inside != Coordinates{m, k})
    price *= sol_ms(m, k) / sol_ms(inside[0], inside[1]);
  return price;
}

Price QuantizeCost::empirical(int64_t m, int64_t k) const {
  if (!table_->surface) return Price::failed(Failure::empirical_not_implemented);
  if (pass_ == Quantize::Pass::apply_scale) {
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

Ground QuantizeCost::ground(int64_t m, int64_t k) const {
  const bool measures = mode_ == Mode::silicon || mode_ == Mode::hybrid;
  return measures && silicon(m, k).ok() ? table_->surface->ground(table_->nearest(m, k)) : Ground{};
}

std::string QuantizeCost::explain() const {
  if (table_ != nullptr && !table_->surface) return "there is no " + table_->name + " table with fp8 rows";
  return {};
}

namespace {

class QuantizePricer final : public Pricer {
 public:
  QuantizePricer(const Quantize& op, const Binding& binding) : cost_(op.pass, binding), k_(op.k) {}
  Price price(const PhasePoint& at) const override { return cost_.price(at.tokens, k_); }
  std::string explain(const PhasePoint&) const override { return cost_.explain(); }
  Ground ground(const PhasePoint& at) const override { return cost_.ground(at.tokens, k_); }

 private:
  QuantizeCost cost_;
  int64_t k_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Quantize& op, const Binding& binding) {
  return std::make_unique<QuantizePricer>(op, binding);
}

}  // namespace perfatlas::aic
