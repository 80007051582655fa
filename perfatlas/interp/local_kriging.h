// SPDX-License-Identifier: Apache-2.0
// Kriging from the nearest points only, regularised so that neighbours on both sides of a kernel's step do not make it
// swing (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, section 2.2).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "perfatlas/interp/near_points.h"

namespace perfatlas {

/// How alike two residuals are at a distance: exp(-d), or the Matern functions of smoothness 3/2 and 5/2.
enum class Covariance { exponential, matern32, matern52 };

struct LocalKrigingSettings {
  double nugget = .03;   // variance of a point's own deviation, relative to that of the field
  double linear = 1.35;  // variance of a local linear trend around the question
  Covariance covariance = Covariance::matern52;
};

struct KrigedValue {
  double value = 0;
  double deviation = 0;  // standard deviation, in units of the field's own
};

/// How much a point's residual counts in an answer; weights may be negative.
struct KrigedWeight {
  uint32_t point = 0;
  double weight = 0;
};

/// The field that residuals at scattered positions make. Immutable once made; may be asked from many threads.
class LocalKriging {
 public:
  static constexpr size_t kNeighbours = 24;
  /// Points nearer than this are the same question asked twice (m and m + 1), which leaving one out would not show.
  static constexpr double kTwinDistance = .03;

  /// `nugget_factors`: by point, 1 for any, more for one that others contradict; empty: all 1.
  /// REQUIRES: as many residuals (and factors) as points.
  LocalKriging(std::shared_ptr<const NearPoints> points, std::vector<double> residuals,
               LocalKrigingSettings settings, std::vector<double> nugget_factors = {});

  /// Nothing when there are no points. Asking allocates nothing.
  std::optional<KrigedValue> at(std::span<const double> position) const { return estimate(position, 0); }
  /// The value at one of the points from all others but its twins.
  std::optional<KrigedValue> without(uint32_t point) const {
    return estimate(points_->at(point), kTwinDistance);
  }
  /// The points behind at(position), nearest first.
  std::vector<KrigedWeight> weights(std::span<const double> position) const;
  const std::shared_ptr<const NearPoints>& points() const { return points_; }

 private:
  struct System;
  System system_at(std::span<const double> position, double beyond) const;
  std::optional<KrigedValue> estimate(std::span<const double> position, double beyond) const;

  std::shared_ptr<const NearPoints> points_;
  std::vector<double> residuals_;
  LocalKrigingSettings settings_;
  std::vector<double> nugget_factors_;
};

}  // namespace perfatlas
