// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_kriging.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr double kMeanVariance = 4;  // of the unknown mean: four times the field's
constexpr double kTwin = 0.03;       // a leave-one-out also leaves out points nearer than this
constexpr double kLeastNugget = 0.003;
constexpr size_t kTuned = 300;
constexpr std::array<double, 3> kLevels{.5, .8, .95};

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[size_t(q * double(values.size() - 1))];
}

double correlation(bool rough, double distance) {
  if (rough) {
    const double s = std::sqrt(3.0) * distance;
    return (1 + s) * std::exp(-s);
  }
  const double s = std::sqrt(5.0) * distance;
  return (1 + s + s * s / 3) * std::exp(-s);
}

}  // namespace

struct KrigingSlice::Neighbours {
  std::array<uint32_t, kNearest> point;
  std::array<double, kNearest> squared;  // distances, ascending
  size_t count = 0;
};

KrigingSlice::KrigingSlice(size_t axes, std::span<const MeasuredPoint> points, SolLaw sol)
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
    octaves_.push_back(octaves_of(at.data()));
    residual_.push_back(std::log(point.latency_ms) - mean_at(at.data()));
    power_w_.push_back(point.energy_mj ? *point.energy_mj / point.latency_ms
                                       : std::numeric_limits<double>::quiet_NaN());
  }
  lead_ = leading_axis();
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  by_lead_ = sorted_;
  std::sort(sorted_.begin(), sorted_.end(), [&](uint32_t a, uint32_t b) { return at_[a] < at_[b]; });
  std::sort(by_lead_.begin(), by_lead_.end(), [&](uint32_t a, uint32_t b) {
    return octaves_[a][lead_] != octaves_[b][lead_] ? octaves_[a][lead_] < octaves_[b][lead_]
                                                    : at_[a] < at_[b];
  });
  if (points.size() < 8) return;
  tune();
  doubt_outliers();
  calibrate();
}

size_t KrigingSlice::leading_axis() const {
  size_t lead = 0, most = 0;
  for (size_t d = 0; d < axes_; ++d) {
    std::set<int64_t> keys;
    for (const Coordinates& at : at_) keys.insert(at[d]);
    if (keys.size() > most) lead = d;
    most = std::max(most, keys.size());
  }
  return lead;
}

std::array<double, kMaxAxes> KrigingSlice::octaves_of(const double* at) const {
  std::array<double, kMaxAxes> u{};
  for (size_t d = 0; d < axes_; ++d) u[d] = std::log2(std::max(at[d], 0.5));
  return u;
}

double KrigingSlice::mean_at(const double* at) const {
  return std::log((sol_ ? sol_(at).bound_ms() : 0) + floor_ms_);
}

void KrigingSlice::find_nearest(const std::array<double, kMaxAxes>& u, uint32_t without,
                                Neighbours& found) const {
  std::array<double, kMaxAxes> scale{};
  for (size_t d = 0; d < axes_; ++d) scale[d] = 1 / settings_.length[d];
  found.count = 0;
  const auto consider = [&](uint32_t i) {
    double squared = 0;
    for (size_t d = 0; d < axes_; ++d) {
      const double step = (octaves_[i][d] - u[d]) * scale[d];
      squared += step * step;
    }
    if (found.count == kNearest && squared >= found.squared[kNearest - 1]) return;
    if (without != AtlasCells::kNone && (i == without || squared < kTwin * kTwin)) return;
    size_t place = std::min(found.count, kNearest - 1);
    for (; place > 0 && found.squared[place - 1] > squared; --place) {
      found.squared[place] = found.squared[place - 1];
      found.point[place] = found.point[place - 1];
    }
    found.squared[place] = squared;
    found.point[place] = i;
    found.count = std::min(found.count + 1, kNearest);
  };
  // Along the axis with the most keys, outwards from the question, until that axis alone is too far.
  const auto too_far = [&](uint32_t i) {
    const double step = (octaves_[i][lead_] - u[lead_]) * scale[lead_];
    return found.count == kNearest && step * step >= found.squared[kNearest - 1];
  };
  auto up = std::lower_bound(by_lead_.begin(), by_lead_.end(), u[lead_],
                             [&](uint32_t i, double x) { return octaves_[i][lead_] < x; });
  auto down = up;
  bool more_up = true, more_down = true;
  while (more_up || more_down) {
    more_up = more_up && up != by_lead_.end() && !too_far(*up);
    if (more_up) consider(*up++);
    more_down = more_down && down != by_lead_.begin() && !too_far(*(down - 1));
    if (more_down) consider(*--down);
  }
}

KrigingSlice::Answer KrigingSlice::krige(const std::array<double, kMaxAxes>& u, const Neighbours& near,
                                         double* weights) const {
  const size_t n = near.count;
  std::array<std::array<double, kNearest>, kNearest> chol;
  std::array<std::array<double, kMaxAxes>, kNearest> offset{};
  std::array<double, kNearest> right;
  for (size_t i = 0; i < n; ++i) {
    for (size_t d = 0; d < axes_; ++d)
      offset[i][d] = (octaves_[near.point[i]][d] - u[d]) / settings_.length[d];
    right[i] = correlation(settings_.rough, std::sqrt(near.squared[i])) + kMeanVariance;
  }
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double squared = 0, slope = 0;
      for (size_t d = 0; d < axes_; ++d) {
        const double step = offset[i][d] - offset[j][d];
        squared += step * step;
        slope += offset[i][d] * offset[j][d];
      }
      double c = correlation(settings_.rough, std::sqrt(squared)) + kMeanVariance + settings_.trend * slope;
      if (i == j) c += settings_.nugget * doubt_[near.point[i]];
      for (size_t k = 0; k < j; ++k) c -= chol[i][k] * chol[j][k];
      chol[i][j] = i == j ? std::sqrt(std::max(c, 1e-12)) : c / chol[j][j];
    }
  std::array<double, kNearest> solved = right;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) solved[i] -= chol[i][k] * solved[k];
    solved[i] /= chol[i][i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) solved[i] -= chol[k][i] * solved[k];
    solved[i] /= chol[i][i];
  }
  Answer answer{0, 1 + kMeanVariance};
  for (size_t i = 0; i < n; ++i) {
    answer.residual += solved[i] * residual_[near.point[i]];
    answer.deviation -= solved[i] * right[i];
    if (weights != nullptr) weights[i] = solved[i];
  }
  answer.deviation = std::sqrt(std::max(answer.deviation, settings_.nugget));
  return answer;
}

double KrigingSlice::leave_one_out(size_t step, std::vector<double>* errors,
                                   std::vector<double>* deviations) const {
  std::vector<double> sizes;
  Neighbours near;
  double sum = 0;
  for (uint32_t i = 0; i < octaves_.size(); i += uint32_t(step)) {
    find_nearest(octaves_[i], i, near);
    const Answer answer = krige(octaves_[i], near, nullptr);
    const double error = answer.residual - residual_[i];
    if (errors != nullptr) errors->push_back(error);
    if (deviations != nullptr) deviations->push_back(answer.deviation);
    sizes.push_back(std::abs(error));
    sum += std::min(sizes.back(), 0.7);
  }
  return sum / double(sizes.size()) + 0.5 * quantile(sizes, 0.9);
}

void KrigingSlice::tune() {
  const size_t step = (octaves_.size() + kTuned - 1) / kTuned;
  double best = leave_one_out(step, nullptr, nullptr);
  const auto consider = [&](const KrigingSettings& other) {
    const KrigingSettings kept = settings_;
    settings_ = other;
    const double score = leave_one_out(step, nullptr, nullptr);
    if (score < 0.995 * best)
      best = score;
    else
      settings_ = kept;
  };
  for (const double factor : {.1, .33, 3.0}) {
    KrigingSettings other = settings_;
    other.nugget = std::max(kLeastNugget, factor * KrigingSettings().nugget);
    consider(other);
  }
  KrigingSettings rough = settings_;
  rough.rough = true;
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
    std::vector<double> errors, sizes;
    leave_one_out(1, &errors, nullptr);
    for (const double e : errors) sizes.push_back(std::abs(e));
    const double usual = 1.48 * quantile(sizes, 0.5);
    for (size_t i = 0; i < errors.size(); ++i) {
      const bool outlier = sizes[i] > 4 * usual && sizes[i] > 0.15;
      if (round == 1 && doubt_[i] == 1) continue;
      doubt_[i] = outlier ? std::clamp(std::pow(sizes[i] / (1.5 * usual), 2), 1.0, 1e4) : 1.0;
    }
  }
}

void KrigingSlice::calibrate() {
  std::vector<double> errors, deviations;
  leave_one_out((octaves_.size() + kTuned - 1) / kTuned, &errors, &deviations);
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = std::abs(errors[i]) / deviations[i];
  for (size_t level = 0; level < kLevels.size(); ++level)
    width_per_deviation_[level] = float(quantile(errors, kLevels[level]));
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
    const double own = std::sqrt(settings_.nugget);
    for (size_t level = 0; level < 3; ++level) e.half_width[level] = float(width_per_deviation_[level] * own);
    return e;
  }
  bool inside = true;
  for (size_t d = 0; d < axes_; ++d) inside &= at[d] >= low_[d] && at[d] <= high_[d];
  if (!inside && !sol_) return {};
  const auto u = octaves_of(at);
  Neighbours near;
  find_nearest(u, AtlasCells::kNone, near);
  const Answer answer = krige(u, near, nullptr);
  AtlasEstimate e{.kind = inside ? EstimateKind::interpolated : EstimateKind::held,
                  .latency_ms = std::exp(mean_at(at) + answer.residual),
                  .power_w = power_w_[near.point[0]]};
  e.latency_ms = std::max(e.latency_ms, bound);
  for (size_t level = 0; level < 3; ++level)
    e.half_width[level] = float(width_per_deviation_[level] * answer.deviation);
  return e;
}

std::vector<Support> KrigingSlice::support(const double* at) const {
  if (const uint32_t* point = exact(at); point != nullptr) return {{*point, 1.0}};
  const auto u = octaves_of(at);
  Neighbours near;
  find_nearest(u, AtlasCells::kNone, near);
  std::array<double, kNearest> weights{};
  krige(u, near, weights.data());
  double sum = 0;
  for (size_t i = 0; i < near.count; ++i) sum += std::abs(weights[i]);
  std::vector<Support> supports;
  for (size_t i = 0; i < near.count; ++i) supports.push_back({near.point[i], std::abs(weights[i]) / sum});
  std::stable_sort(supports.begin(), supports.end(),
                   [](const Support& a, const Support& b) { return a.weight > b.weight; });
  return supports;
}

}  // namespace perfatlas
