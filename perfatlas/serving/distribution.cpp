// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/distribution.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

// Bins cover 1 microsecond to about 10^9 ms (twelve days); what lies outside counts in the first or last bin.
constexpr double kLeast = 1e-3;
constexpr int kBins = 5600;

/// The q-quantile of `values`, given that those before `from` are no larger than the rest. Reorders the rest.
double select(std::vector<double>& values, double q, size_t from) {
  const double rank = q * double(values.size() - 1);
  const auto low = size_t(rank);
  const auto at = values.begin() + std::ptrdiff_t(low);
  std::nth_element(values.begin() + std::ptrdiff_t(from), at, values.end());
  const double share = rank - double(low);
  if (share == 0 || low + 1 == values.size()) return *at;
  const double next = *std::min_element(at + 1, values.end());
  return *at + share * (next - *at);
}

}  // namespace

Summary Summary::shifted(double by) const { return {count, mean + by, p50 + by, p90 + by, p99 + by, exact}; }

void Distribution::add(double value) {
  ++count_;
  sum_ += value;
  if (count_ <= kMostExact) {
    values_.push_back(value);
    return;
  }
  if (bins_.empty()) {
    bins_.resize(kBins);
    for (const double kept : values_) fold(kept);
    values_ = {};
  }
  fold(value);
}

void Distribution::fold(double value) {
  const double octave = std::log(std::max(value, kLeast) / kLeast) / std::log1p(kBinWidth);
  ++bins_[size_t(std::min(octave, double(kBins - 1)))];
}

double Distribution::binned_quantile(double q) const {
  const double rank = q * double(count_ - 1);
  int64_t before = 0;
  size_t bin = 0;
  while (bin + 1 < bins_.size() && double(before + bins_[bin]) <= rank) before += bins_[bin++];
  return kLeast * std::pow(1 + kBinWidth, double(bin) + 0.5);
}

double Distribution::quantile(double q) const {
  PERFATLAS_ASSERT(count_ > 0);
  if (!bins_.empty()) return binned_quantile(q);
  std::vector<double> values = values_;
  return select(values, q, 0);
}

Summary Distribution::summary() const {
  if (count_ == 0) return {};
  if (!bins_.empty())
    return {count_, mean(), binned_quantile(0.5), binned_quantile(0.9), binned_quantile(0.99), false};
  std::vector<double> values = values_;
  Summary summary{.count = count_, .mean = mean()};
  size_t ordered = 0;  // values before it are no larger than the rest
  for (const auto& [q, place] : {std::pair{0.5, &summary.p50}, {0.9, &summary.p90}, {0.99, &summary.p99}}) {
    *place = select(values, q, ordered);
    ordered = size_t(q * double(values.size() - 1));
  }
  return summary;
}

}  // namespace perfatlas
