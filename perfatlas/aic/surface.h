// SPDX-License-Identifier: Apache-2.0
// The measured points of one slice with the speed of light that goes with them: what silicon answers come from, and
// the utilisation that estimates borrow.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/aic/ground.h"
#include "perfatlas/aic/price.h"
#include "perfatlas/interp/interpolator.h"
#include "perfatlas/interp/place_index.h"
#include "perfatlas/interp/utilisation_grid.h"
#include "perfatlas/tables/table_rows.h"

namespace perfatlas::aic {

/// Rows as points on axes; of rows at one place the first counts.
class PointList {
 public:
  explicit PointList(const TableRows& rows) : rows_(&rows) {}
  /// Points made elsewhere; nothing can be added.
  explicit PointList(std::vector<MeasuredPoint> points) : points_(std::move(points)) {}

  /// Room for so many points. REQUIRES: there are none yet.
  void reserve(size_t points) {
    points_.reserve(points);
    numbers_.reserve(points);
    positions_ = PlaceIndex(points);
  }
  /// A place that has a point already keeps it.
  void add(const Coordinates& at, uint32_t row);
  /// The same with a latency that is a part of the row's; no energy is known of it.
  void add(const Coordinates& at, uint32_t row, double latency_ms);
  /// A place whose point is from the same file gives it up: tables in which the last measurement counts.
  void replace(const Coordinates& at, uint32_t row);
  /// Latencies below the speed of light become that; energies stay.
  void raise_to(const SolFunction& sol);

  bool empty() const { return points_.empty(); }
  std::vector<MeasuredPoint>& points() { return points_; }
  const std::vector<MeasuredPoint>& points() const { return points_; }
  /// The row of each point, of rows(); empty for points made elsewhere.
  const std::vector<uint32_t>& numbers() const { return numbers_; }
  const TableRows* rows() const { return rows_; }

 private:
  MeasuredPoint point_of(const Coordinates& at, uint32_t row) const;
  auto places() const {
    return [this](uint32_t i) -> const Coordinates& { return points_[i].at; };
  }

  const TableRows* rows_ = nullptr;
  std::vector<MeasuredPoint> points_;
  std::vector<uint32_t> numbers_;
  PlaceIndex positions_;
};

/// Immutable; thread-safe.
class Surface {
 public:
  /// REQUIRES: `points` is not empty.
  Surface(const AxisLayout& layout, PointList points, SolFunction sol);

  /// Source silicon, or interpolation_data_not_available.
  Price price(const Coordinates& at) const;
  double sol_ms(const Coordinates& at) const { return sol_(at); }
  size_t axes() const { return layout_.axes; }
  /// Of the nearest points (UtilisationGrid); nothing when no point has one.
  std::optional<double> utilisation(const Coordinates& at) const;
  /// The same at a place between whole numbers. REQUIRES: one axis.
  std::optional<double> utilisation_between(double place) const;

  const std::vector<MeasuredPoint>& points() const { return points_.points(); }
  /// What price() rests on; of points made elsewhere without rows.
  Ground ground(const Coordinates& at) const;
  /// Why price() fails at a place.
  std::string why_missing(const Coordinates& at) const;
  const Interpolator& interpolator() const { return *interpolator_; }
  const SolFunction& sol() const { return sol_; }

 private:
  AxisLayout layout_;
  PointList points_;
  SolFunction sol_;
  std::unique_ptr<const Interpolator> interpolator_;
  /// Made when first asked for; null when no point has a utilisation.
  const UtilisationGrid* utilisations() const;

  mutable std::once_flag utilisation_once_;
  mutable std::optional<UtilisationGrid> utilisation_;
};

/// What an estimate from a list of points rests on. `rows` null: points made elsewhere.
Ground ground_of(const Estimate& estimate, const TableRows* rows, std::span<const uint32_t> numbers);

/// What an interpolator read, as a price.
inline Price price_of(const Reading& reading) {
  if (reading.kind == EstimateKind::miss) return Price::failed(Failure::interpolation_data_not_available);
  const bool known = reading.energy_mj == reading.energy_mj;
  return {.latency_ms = reading.latency_ms, .energy_mj = known ? reading.energy_mj : 0};
}

}  // namespace perfatlas::aic
