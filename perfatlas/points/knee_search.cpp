// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/knee_search.h"

#include <algorithm>
#include <cmath>

namespace perfatlas {
namespace {

/// The legal size strictly between `low` and `high` that halves their distance in octaves best.
std::optional<int64_t> middle_between(int64_t low, int64_t high, std::span<const int64_t> legal) {
  const double middle = (std::log2(double(low)) + std::log2(double(high))) / 2;
  const auto off = [&](int64_t size) { return std::abs(std::log2(double(size)) - middle); };
  std::optional<int64_t> best;
  for (auto at = std::upper_bound(legal.begin(), legal.end(), low); at != legal.end() && *at < high; ++at)
    if (!best || off(*at) < off(*best)) best = *at;
  return best;
}

}  // namespace

std::optional<KneeProbe> next_knee_probe(std::span<const CurvePoint> measured, std::span<const int64_t> legal,
                                         double threshold) {
  std::optional<KneeProbe> probe;
  for (size_t i = 1; i < measured.size(); ++i) {
    const double step = std::abs(measured[i].residual - measured[i - 1].residual);
    if (step <= (probe ? probe->step : threshold)) continue;
    const auto middle = middle_between(measured[i - 1].size, measured[i].size, legal);
    if (middle) probe = KneeProbe{*middle, step};
  }
  return probe;
}

}  // namespace perfatlas
