// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/local_kriging.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr double kConstantVariance = 4;  // of the local mean: unknown
constexpr size_t kMost = LocalKriging::kNeighbours;

double covariance_at(Covariance kind, double squared) {
  const double d = std::sqrt(squared);
  switch (kind) {
    case Covariance::exponential:
      return std::exp(-d);
    case Covariance::matern32: {
      const double r = std::sqrt(3.0) * d;
      return (1 + r) * std::exp(-r);
    }
    case Covariance::matern52: {
      const double r = std::sqrt(5.0) * d;
      return (1 + r + r * r / 3) * std::exp(-r);
    }
  }
  PERFATLAS_ASSERT(false);
}

using Column = std::array<double, kMost>;

double dot(const Column& a, const Column& b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

/// The nearest points of a question and their covariances, factored by Cholesky.
struct LocalKriging::System {
  size_t n = 0;
  std::array<NearPoint, kMost> near{};
  Column from_question{};  // covariances of the points with the question
  std::array<Column, kMost> c{};

  void factor() {
    for (size_t j = 0; j < n; ++j) {
      for (size_t k = 0; k < j; ++k)
        for (size_t i = j; i < n; ++i) c[i][j] -= c[i][k] * c[j][k];
      const double root = std::sqrt(std::max(c[j][j], 1e-12));
      for (size_t i = j; i < n; ++i) c[i][j] /= root;
    }
  }
  /// L^-1 v
  Column forward(const Column& v) const {
    Column out{};
    for (size_t i = 0; i < n; ++i) {
      double sum = v[i];
      for (size_t k = 0; k < i; ++k) sum -= c[i][k] * out[k];
      out[i] = sum / c[i][i];
    }
    return out;
  }
  /// L^-T v
  Column backward(Column v) const {
    for (size_t i = n; i-- > 0;) {
      for (size_t k = i + 1; k < n; ++k) v[i] -= c[k][i] * v[k];
      v[i] /= c[i][i];
    }
    return v;
  }
};

LocalKriging::LocalKriging(std::shared_ptr<const NearPoints> points, std::vector<double> residuals,
                           LocalKrigingSettings settings, std::vector<double> nugget_factors)
    : points_(std::move(points)),
      residuals_(std::move(residuals)),
      settings_(settings),
      nugget_factors_(std::move(nugget_factors)) {
  PERFATLAS_ASSERT(residuals_.size() == points_->size());
  PERFATLAS_ASSERT(nugget_factors_.empty() || nugget_factors_.size() == points_->size());
}

LocalKriging::System LocalKriging::system_at(std::span<const double> position, double beyond) const {
  System system;
  system.n = points_->nearest(position, beyond, system.near);
  for (size_t i = 0; i < system.n; ++i) {
    const NearPoint& own = system.near[i];
    const std::span<const double> a = points_->at(own.index);
    for (size_t j = 0; j <= i; ++j) {
      const std::span<const double> b = points_->at(system.near[j].index);
      double squared = 0, trend = 0;
      for (size_t d = 0; d < position.size(); ++d) {
        squared += (a[d] - b[d]) * (a[d] - b[d]);
        trend += (a[d] - position[d]) * (b[d] - position[d]);
      }
      system.c[i][j] =
          covariance_at(settings_.covariance, squared) + kConstantVariance + settings_.linear * trend;
    }
    system.c[i][i] += settings_.nugget * (nugget_factors_.empty() ? 1 : nugget_factors_[own.index]);
    system.from_question[i] = covariance_at(settings_.covariance, own.squared) + kConstantVariance;
  }
  system.factor();
  return system;
}

std::optional<KrigedValue> LocalKriging::estimate(std::span<const double> position, double beyond) const {
  const System system = system_at(position, beyond);
  if (system.n == 0) return std::nullopt;
  Column residual{};
  for (size_t i = 0; i < system.n; ++i) residual[i] = residuals_[system.near[i].index];
  const Column c = system.forward(system.from_question), r = system.forward(residual);
  const double variance = 1 + kConstantVariance - dot(c, c, system.n);
  return KrigedValue{dot(c, r, system.n), std::sqrt(std::max(variance, 0.0))};
}

std::vector<KrigedWeight> LocalKriging::weights(std::span<const double> position) const {
  const System system = system_at(position, 0);
  const Column solved = system.backward(system.forward(system.from_question));
  std::vector<KrigedWeight> weights;
  for (size_t i = 0; i < system.n; ++i) weights.push_back({system.near[i].index, solved[i]});
  return weights;
}

}  // namespace perfatlas
