// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/utilisation_grid.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

double log_of(double value) { return std::log(std::max(value, 1e-9)); }

}  // namespace

UtilisationGrid::UtilisationGrid(size_t axes, std::span<const MeasuredPoint> points, const SolFunction& sol)
    : scales_(axes) {
  PERFATLAS_ASSERT(axes > 0 && axes <= kMaxAxes);
  struct Sample {
    Coordinates at;
    double utilisation;
  };
  std::vector<Sample> samples;
  for (const MeasuredPoint& point : points) {
    const double bound = point.latency_ms > 0 ? sol(point.at) : 0;
    if (bound > 0) samples.push_back({point.at, bound / point.latency_ms});
  }
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.at < b.at; });
  std::vector<Coordinates> places;
  for (const Sample& sample : samples) {
    places.push_back(sample.at);
    utilisation_.push_back(sample.utilisation);
  }
  if (empty()) return;
  for (size_t axis = 0; axis < axes; ++axis) {
    double least = INFINITY, largest = -INFINITY;
    for (const Coordinates& place : places) {
      least = std::min(least, log_of(double(place[axis])));
      largest = std::max(largest, log_of(double(place[axis])));
    }
    scales_[axis] = {least, largest > least ? largest - least : 1};
  }
  levels_ = nest(places, axes, [this](size_t axis, int64_t key) { return scaled(axis, double(key)); });
}

double UtilisationGrid::scaled(size_t axis, double value) const {
  return (log_of(value) - scales_[axis].least) / scales_[axis].span;
}

double UtilisationGrid::at(const Coordinates& place) const {
  std::array<double, kMaxAxes> here{};
  for (size_t axis = 0; axis < levels_.size(); ++axis)
    here[axis] = std::clamp(scaled(axis, double(place[axis])), 0.0, 1.0);
  return read(here);
}

double UtilisationGrid::between(double place) const { return read({std::clamp(scaled(0, place), 0.0, 1.0)}); }

double UtilisationGrid::read(const std::array<double, kMaxAxes>& here) const {
  const auto any = [](uint32_t) { return true; };
  const NearestLeaves<2, decltype(any)> nearest(levels_, here, any);
  const auto found = nearest.found();
  if (found[0].square == 0 || found.size() == 1) return utilisation_[found[0].leaf];
  const double first = 1 / std::sqrt(found[0].square), second = 1 / std::sqrt(found[1].square);
  return (first * utilisation_[found[0].leaf] + second * utilisation_[found[1].leaf]) / (first + second);
}

size_t nearest_candidate(std::span<const std::vector<double>> candidates, const std::vector<double>& wanted) {
  const size_t axes = wanted.size();
  std::vector<double> least(axes, INFINITY), largest(axes, -INFINITY);
  for (const std::vector<double>& candidate : candidates)
    for (size_t axis = 0; axis < axes; ++axis) {
      least[axis] = std::min(least[axis], log_of(candidate[axis]));
      largest[axis] = std::max(largest[axis], log_of(candidate[axis]));
    }
  size_t best = 0;
  double best_square = INFINITY;
  for (size_t i = 0; i < candidates.size(); ++i) {
    double square = 0;
    for (size_t axis = 0; axis < axes; ++axis) {
      const double span = largest[axis] > least[axis] ? largest[axis] - least[axis] : 1;
      const double step = (log_of(candidates[i][axis]) - log_of(wanted[axis])) / span;
      square += step * step;
    }
    if (square < best_square) {
      best = i;
      best_square = square;
    }
  }
  return best;
}

}  // namespace perfatlas
