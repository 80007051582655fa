// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_kriging.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr double kLeastNugget = 0.003;
constexpr size_t kTuned = 300;
constexpr size_t kLeastForTuning = 8;  // points
constexpr std::array<double, 3> kLevels{.5, .8, .95};

double octaves_of(double at) { return std::log2(std::max(at, 0.5)); }

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[size_t(q * double(values.size() - 1))];
}

}  // namespace

KrigingSlice::KrigingSlice(size_t axes, std::span<const MeasuredPoint> points, SolLaw sol,
                           const KrigingTuning* tuning)
    : axes_(axes), sol_(std::move(sol)), doubt_(points.size(), 1.0), sorted_(points.size()) {
  PERFATLAS_ASSERT(!points.empty());
  std::vector<double> latencies;
  for (const MeasuredPoint& point : points) latencies.push_back(point.latency_ms);
  floor_ms_ = quantile(latencies, 0.01);
  latency_ms_ = std::move(latencies);
  low_.fill(std::numeric_limits<double>::infinity());
  for (const MeasuredPoint& point : points) {
    std::array<double, kMaxAxes> at{};
    for (size_t d = 0; d < axes_; ++d) {
      at[d] = double(point.at[d]);
      low_[d] = std::min(low_[d], at[d]);
      high_[d] = std::max(high_[d], at[d]);
    }
    at_.push_back(point.at);
    auto& octaves = octaves_.emplace_back();
    for (size_t d = 0; d < axes_; ++d) octaves[d] = octaves_of(at[d]);
    residual_.push_back(std::log(point.latency_ms) - mean_at(at.data()));
    power_w_.push_back(point.energy_mj ? *point.energy_mj / point.latency_ms
                                       : std::numeric_limits<double>::quiet_NaN());
  }
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(), [&](uint32_t a, uint32_t b) { return at_[a] < at_[b]; });
  const bool learns = tuning == nullptr && points.size() >= kLeastForTuning;
  if (tuning != nullptr) {
    settings_ = tuning->settings;
    width_per_deviation_ = tuning->width_per_deviation;
    for (const auto& [point, doubt] : tuning->doubts)
      if (point < doubt_.size()) doubt_[point] = doubt;
  } else if (learns) {
    tune();
    doubt_outliers();
  }
  field_.emplace(make_field(settings_));
  if (learns) calibrate();
}

KrigingTuning KrigingSlice::tuning() const {
  KrigingTuning tuning{settings_, width_per_deviation_, {}};
  for (uint32_t i = 0; i < doubt_.size(); ++i)
    if (doubt_[i] != 1) tuning.doubts.emplace_back(i, doubt_[i]);
  return tuning;
}

std::array<double, kMaxAxes> KrigingSlice::position_of(const double* at) const {
  std::array<double, kMaxAxes> u{};
  for (size_t d = 0; d < axes_; ++d) u[d] = octaves_of(at[d]) / settings_.length[d];
  return u;
}

double KrigingSlice::mean_at(const double* at) const {
  return std::log((sol_ ? sol_(at).bound_ms() : 0) + floor_ms_);
}

LocalKriging KrigingSlice::make_field(const KrigingSettings& settings) const {
  std::vector<double> positions;
  for (const auto& octaves : octaves_)
    for (size_t d = 0; d < axes_; ++d) positions.push_back(octaves[d] / settings.length[d]);
  return {std::make_shared<const NearPoints>(axes_, std::move(positions)), residual_, settings.kriging,
          doubt_};
}

KrigingSlice::LeftOut KrigingSlice::leave_one_out(const LocalKriging& field, size_t step) const {
  LeftOut out;
  std::vector<double> sizes;
  for (uint32_t i = 0; i < octaves_.size(); i += uint32_t(step)) {
    // A point whose like there is nowhere else: the mean alone answers.
    const KrigedValue value = field.without(i).value_or(KrigedValue{0, 1});
    out.errors.push_back(value.value - residual_[i]);
    out.deviations.push_back(std::max(value.deviation, std::sqrt(settings_.kriging.nugget)));
    sizes.push_back(std::abs(out.errors.back()));
    out.score += std::min(sizes.back(), 0.7);
  }
  out.score = out.score / double(sizes.size()) + 0.5 * quantile(sizes, 0.9);
  return out;
}

void KrigingSlice::tune() {
  const size_t step = (octaves_.size() + kTuned - 1) / kTuned;
  double best = leave_one_out(make_field(settings_), step).score;
  const auto consider = [&](const KrigingSettings& other) {
    const double score = leave_one_out(make_field(other), step).score;
    if (score >= 0.995 * best) return;
    best = score;
    settings_ = other;
  };
  for (const double factor : {.1, .33, 3.0}) {
    KrigingSettings other = settings_;
    other.kriging.nugget = std::max(kLeastNugget, factor * LocalKrigingSettings().nugget);
    consider(other);
  }
  KrigingSettings rough = settings_;
  rough.kriging.covariance = Covariance::matern32;
  consider(rough);
  if (octaves_.size() < 200) return;
  for (size_t d = 0; d < axes_; ++d) {
    const double base = settings_.length[d];
    for (const double factor : {.5, 2.0, 4.0}) {
      KrigingSettings other = settings_;
      other.length[d] = factor * base;
      consider(other);
    }
  }
}

/// Marks points that contradict the others, then clears those that fit once the marks hold.
void KrigingSlice::doubt_outliers() {
  for (int round = 0; round < 2; ++round) {
    std::vector<double> sizes = leave_one_out(make_field(settings_), 1).errors;
    for (double& e : sizes) e = std::abs(e);
    const double usual = 1.48 * quantile(sizes, 0.5);
    for (size_t i = 0; i < sizes.size(); ++i) {
      const bool outlier = sizes[i] > 4 * usual && sizes[i] > 0.15;
      if (round == 1 && doubt_[i] == 1) continue;
      doubt_[i] = outlier ? std::clamp(std::pow(sizes[i] / (1.5 * usual), 2), 1.0, 1e4) : 1.0;
    }
  }
}

void KrigingSlice::calibrate() {
  LeftOut left = leave_one_out(*field_, (octaves_.size() + kTuned - 1) / kTuned);
  for (size_t i = 0; i < left.errors.size(); ++i)
    left.errors[i] = std::abs(left.errors[i]) / left.deviations[i];
  for (size_t level = 0; level < kLevels.size(); ++level)
    width_per_deviation_[level] = float(quantile(left.errors, kLevels[level]));
}

const uint32_t* KrigingSlice::exact(const double* at) const {
  Coordinates wanted{};
  for (size_t d = 0; d < axes_; ++d) {
    wanted[d] = std::llround(at[d]);
    if (double(wanted[d]) != at[d]) return nullptr;
  }
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), wanted,
                                      [&](uint32_t i, const Coordinates& w) { return at_[i] < w; });
  return found != sorted_.end() && at_[*found] == wanted ? &*found : nullptr;
}

AtlasEstimate KrigingSlice::estimate(const double* at) const {
  const double bound = sol_ ? sol_(at).bound_ms() : 0;
  if (const uint32_t* point = exact(at); point != nullptr) {
    AtlasEstimate e{
        .kind = EstimateKind::exact, .latency_ms = latency_ms_[*point], .power_w = power_w_[*point]};
    e.faster_than_light = e.latency_ms < bound;
    const double own = std::sqrt(settings_.kriging.nugget);
    for (size_t level = 0; level < 3; ++level) e.half_width[level] = float(width_per_deviation_[level] * own);
    return e;
  }
  bool inside = true;
  for (size_t d = 0; d < axes_; ++d) inside &= at[d] >= low_[d] && at[d] <= high_[d];
  if (!inside && !sol_) return {};
  const auto u = position_of(at);
  const std::span<const double> position(u.data(), axes_);
  const KrigedValue answer = *field_->at(position);
  std::array<NearPoint, 1> nearest{};
  field_->points()->nearest(position, 0, nearest);
  AtlasEstimate e{.kind = inside ? EstimateKind::interpolated : EstimateKind::held,
                  .latency_ms = std::exp(mean_at(at) + answer.value),
                  .power_w = power_w_[nearest[0].index]};
  e.latency_ms = std::max(e.latency_ms, bound);
  const double deviation = std::max(answer.deviation, std::sqrt(settings_.kriging.nugget));
  for (size_t level = 0; level < 3; ++level)
    e.half_width[level] = float(width_per_deviation_[level] * deviation);
  return e;
}

std::vector<Support> KrigingSlice::support(const double* at) const {
  if (const uint32_t* point = exact(at); point != nullptr) return {{*point, 1.0}};
  const auto u = position_of(at);
  const std::vector<KrigedWeight> weights = field_->weights({u.data(), axes_});
  double sum = 0;
  for (const KrigedWeight& w : weights) sum += std::abs(w.weight);
  std::vector<Support> supports;
  for (const KrigedWeight& w : weights) supports.push_back({w.point, std::abs(w.weight) / sum});
  std::stable_sort(supports.begin(), supports.end(),
                   [](const Support& a, const Support& b) { return a.weight > b.weight; });
  return supports;
}

}  // namespace perfatlas
