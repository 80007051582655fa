// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/surface.h"

#include <algorithm>

namespace perfatlas::aic {

MeasuredPoint PointList::point_of(const Coordinates& at, uint32_t row) const {
  const double latency_ms = rows_->latency_ms(row);
  return {at, latency_ms, rows_->power_w(row) * latency_ms};
}

void PointList::add(const Coordinates& at, uint32_t row) {
  if (positions_.add(at, places()) != points_.size()) return;
  points_.push_back(point_of(at, row));
  numbers_.push_back(row);
}

void PointList::add(const Coordinates& at, uint32_t row, double latency_ms) {
  if (positions_.add(at, places()) != points_.size()) return;
  points_.push_back({at, latency_ms, 0.0});
  numbers_.push_back(row);
}

void PointList::replace(const Coordinates& at, uint32_t row) {
  const uint32_t found = positions_.find(at, places());
  if (found == PlaceIndex::kNone) return add(at, row);
  if (rows_->source(numbers_[found]) != rows_->source(row)) return;
  points_[found] = point_of(at, row);
  numbers_[found] = row;
}

void PointList::raise_to(const SolFunction& sol) {
  for (MeasuredPoint& point : points_) point.latency_ms = std::max(point.latency_ms, sol(point.at));
}

Surface::Surface(const AxisLayout& layout, PointList points, SolFunction sol)
    : layout_(layout), points_(std::move(points)), sol_(std::move(sol)) {
  layout_.raise_blends = false;
  interpolator_ = make_interpolator(layout_, points_.points(), sol_);
}

Price Surface::price(const Coordinates& at) const {
  return price_of(interpolator_->read({.at = at, .sol = sol_}));
}

const UtilisationGrid* Surface::utilisations() const {
  std::call_once(utilisation_once_, [this] { utilisation_.emplace(layout_.axes, points_.points(), sol_); });
  return utilisation_->empty() ? nullptr : &*utilisation_;
}

std::optional<double> Surface::utilisation(const Coordinates& at) const {
  const UtilisationGrid* grid = utilisations();
  return grid != nullptr ? std::optional(grid->at(at)) : std::nullopt;
}

std::optional<double> Surface::utilisation_between(double place) const {
  const UtilisationGrid* grid = utilisations();
  return grid != nullptr ? std::optional(grid->between(place)) : std::nullopt;
}

Ground ground_of(const Estimate& estimate, const TableRows* rows, std::span<const uint32_t> numbers) {
  if (estimate.kind == EstimateKind::miss) return {};
  Ground ground{.kind = estimate.kind, .distance_octaves = estimate.distance, .rows = {}};
  if (rows == nullptr) return ground;
  for (const Support& support : estimate.support())
    ground.rows.push_back({rows, numbers[support.point], support.weight});
  return ground;
}

Ground Surface::ground(const Coordinates& at) const {
  return ground_of(interpolator_->estimate({.at = at, .sol = sol_}), points_.rows(), points_.numbers());
}

std::string Surface::why_missing(const Coordinates& at) const {
  return std::string(interpolator_->read({.at = at, .sol = sol_}).miss_reason);
}

}  // namespace perfatlas::aic
