// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/hiccup.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr double kLeastDeviation = 0.15;
constexpr double kSigmas = 4;
constexpr double kAgreement = 0.10;

}  // namespace

bool looks_like_hiccup(double measured_ms, double predicted_ms, double sigma) {
  const double deviation = std::abs(std::log(measured_ms / predicted_ms));
  return deviation > kLeastDeviation && deviation > kSigmas * sigma;
}

double robust_sigma(std::vector<double> errors) {
  if (errors.empty()) return 0;
  for (double& e : errors) e = std::abs(e);
  std::sort(errors.begin(), errors.end());
  return 1.48 * quantile(errors, .5);
}

bool needs_third(double first_ms, double second_ms) {
  return std::abs(second_ms / first_ms - 1) > kAgreement;
}

size_t kept_measurement(std::span<const double> latencies_ms) {
  PERFATLAS_ASSERT(!latencies_ms.empty());
  std::vector<size_t> order(latencies_ms.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return latencies_ms[a] < latencies_ms[b]; });
  return order[(order.size() - 1) / 2];
}

}  // namespace perfatlas
