// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/kriged_family.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr size_t kTunedOn = 500;         // points; more do not change the choice
constexpr size_t kLeastForScales = 200;  // points before single scales may be tuned
constexpr double kLeastGain = .0075;     // a setting must be better by this share to be taken
constexpr double kLeastNugget = .003;    // smaller ones let one bad row spoil all its neighbours
constexpr double kErrorCap = .7;         // a factor of two; beyond, how wrong does not matter
constexpr size_t kLeastForSigma = 8;
constexpr double kSigmas = 4, kLeastDeviation = .15, kMostFactor = 1e4;

/// Settings found on published tables, by op.
LocalKrigingSettings base_settings(std::string_view op) {
  if (op == "gemm") return {.09, 1.35, Covariance::matern52};
  if (op == "moe") return {.009, .45, Covariance::matern52};
  if (op == "mla_context") return {.003, .45, Covariance::matern32};
  if (op == "mla_generation") return {.009, .15, Covariance::matern32};
  return {};
}

double nearest_rank(std::vector<double> values, double share) {
  const size_t rank = std::min(values.size() - 1, size_t(share * double(values.size())));
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(rank), values.end());
  return values[rank];
}

}  // namespace

KrigedFamily::KrigedFamily(const OpType& op, std::span<const SlicePoint> points, SolContext context)
    : space_(op) {
  PERFATLAS_ASSERT(!points.empty());
  std::vector<double> latencies;
  for (const SlicePoint& point : points) latencies.push_back(point.latency_ms);
  const double floor_ms = nearest_rank(std::move(latencies), .01);
  mean_ = [&op, context, floor_ms](const FieldValues& values) -> std::optional<double> {
    return std::log(sol_ms(op, values, context) + floor_ms);
  };
  take(points);
}

KrigedFamily::KrigedFamily(const OpType& op, std::span<const SlicePoint> points, LogMean mean)
    : space_(op), mean_(std::move(mean)) {
  take(points);
}

void KrigedFamily::take(std::span<const SlicePoint> points) {
  for (uint32_t i = 0; i < points.size(); ++i) {
    const auto mean = mean_(points[i].values);
    if (!mean) continue;
    space_.append(points[i].values, octaves_);
    means_.push_back(*mean);
    residuals_.push_back(std::log(points[i].latency_ms) - *mean);
    source_.push_back(i);
  }
  nugget_factors_.assign(residuals_.size(), 1);
  settings_ = {base_settings(space_.op().info.id), std::vector<double>(space_.axes().size(), 1)};
  tune();
  doubt_outliers();
  field_.emplace(make_field(settings_));
}

LocalKriging KrigedFamily::make_field(const Settings& settings) const {
  std::vector<double> coordinates = octaves_;
  const size_t axes = settings.scale_factors.size();
  for (size_t i = 0; i < coordinates.size(); ++i) coordinates[i] /= settings.scale_factors[i % axes];
  return {std::make_shared<const NearPoints>(axes, std::move(coordinates)), residuals_, settings.kriging,
          nugget_factors_};
}

double KrigedFamily::score_of(const Settings& settings) const {
  const LocalKriging field = make_field(settings);
  const size_t step = std::max<size_t>(1, residuals_.size() / kTunedOn);
  std::vector<double> errors;
  double sum = 0;
  for (size_t i = 0; i < residuals_.size(); i += step) {
    const auto value = field.without(uint32_t(i));
    if (!value) continue;
    errors.push_back(std::abs(value->value - residuals_[i]));
    sum += std::min(errors.back(), kErrorCap);
  }
  if (errors.empty()) return 0;
  const double mean = sum / double(errors.size());
  return mean + .5 * nearest_rank(std::move(errors), .9);
}

/// One setting after the other, each kept only when it is clearly better.
void KrigedFamily::tune() {
  score_ = score_of(settings_);
  const auto try_one = [this](const Settings& candidate) {
    const double score = score_of(candidate);
    if (score >= score_ * (1 - kLeastGain)) return;
    score_ = score;
    settings_ = candidate;
  };
  const LocalKrigingSettings base = settings_.kriging;
  for (const double factor : {.1, .33, 3.0}) {
    Settings candidate = settings_;
    candidate.kriging.nugget = std::max(kLeastNugget, base.nugget * factor);
    try_one(candidate);
  }
  for (const Covariance covariance : {Covariance::exponential, Covariance::matern32}) {
    Settings candidate = settings_;
    candidate.kriging.covariance = covariance;
    try_one(candidate);
  }
  if (residuals_.size() < kLeastForScales) return;
  for (size_t axis = 0; axis < settings_.scale_factors.size(); ++axis)
    for (const double factor : {.5, 2.0, 4.0}) {
      Settings candidate = settings_;
      candidate.scale_factors[axis] = factor;
      try_one(candidate);
    }
}

/// Gives points far from what all others say little weight, then takes that back where the others, now undisturbed,
/// agree after all.
void KrigedFamily::doubt_outliers() {
  std::vector<double> errors(residuals_.size(), 0);
  const auto leave_out = [&] {
    const LocalKriging field = make_field(settings_);
    for (uint32_t i = 0; i < residuals_.size(); ++i)
      if (const auto value = field.without(i)) errors[i] = residuals_[i] - value->value;
  };
  const auto usual = [&] {
    std::vector<double> sizes;
    for (const double e : errors) sizes.push_back(std::abs(e));
    return sizes.empty() ? 0 : 1.48 * nearest_rank(std::move(sizes), .5);
  };
  leave_out();
  const double sigma = usual();
  if (errors.size() >= kLeastForSigma) sigma_ = sigma;
  bool any = false;
  const auto far = [&](size_t i) {
    return std::abs(errors[i]) > kSigmas * sigma && std::abs(errors[i]) > kLeastDeviation;
  };
  const auto factor = [&](size_t i) {
    return sigma > 0 ? std::min(kMostFactor, std::pow(errors[i] / (1.5 * sigma), 2)) : kMostFactor;
  };
  for (size_t i = 0; i < errors.size(); ++i)
    if (far(i)) {
      nugget_factors_[i] = factor(i);
      any = true;
    }
  if (!any) return;
  leave_out();
  for (uint32_t i = 0; i < errors.size(); ++i) {
    if (nugget_factors_[i] <= 1) continue;
    nugget_factors_[i] = far(i) ? factor(i) : 1;
    if (nugget_factors_[i] > 1)
      contradicted_.push_back({source_[i], std::exp(means_[i] + residuals_[i] - errors[i])});
  }
}

std::vector<double> KrigedFamily::position(const FieldValues& values, const Settings& settings) const {
  std::vector<double> at;
  space_.append(values, at);
  for (size_t axis = 0; axis < at.size(); ++axis) at[axis] /= settings.scale_factors[axis];
  return at;
}

std::optional<KrigedValue> KrigedFamily::log_latency(const FieldValues& values) const {
  const auto mean = mean_(values);
  if (!mean) return std::nullopt;
  const auto residual = field_->at(position(values, settings_));
  if (!residual) return KrigedValue{*mean, 1};
  return KrigedValue{*mean + residual->value, residual->deviation};
}

std::optional<double> KrigedFamily::latency_ms(const FieldValues& values) const {
  const auto value = log_latency(values);
  return value ? std::optional(std::exp(value->value)) : std::nullopt;
}

}  // namespace perfatlas
