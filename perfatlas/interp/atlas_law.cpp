// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_law.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// The speed of light where the axis is at `key`; nothing is known without a law.
SolParts parts_at(const SolLaw& sol, size_t axis, double* at, double key) {
  if (!sol) return {};
  const double kept = at[axis];
  at[axis] = key;
  const SolParts parts = sol(at);
  at[axis] = kept;
  return parts;
}

constexpr double kBlendPerOctave = 0.1, kMostBlend = 0.5;

}  // namespace

AtlasLaw atlas_law(const OpType& op) {
  PERFATLAS_ASSERT(!op.axes.empty() && op.axes.size() <= kMaxAxes);
  AtlasLaw law{
      .axes = op.axes.size(), .growth_limit = op.layout.growth_limit, .log_curve = op.layout.log_curve};
  for (size_t i = 0; i < op.axes.size(); ++i) {
    // Work grows with the square of such an axis, so that its value is not work.
    if (op.axes[i].transform == Transform::sqrt) law.axis[i].inside = AxisCoordinate::work;
    if (op.axes[i].beyond == Beyond::value) law.axis[i].above = law.axis[i].below = AxisCoordinate::value;
    if (op.axes[i].beyond == Beyond::work_above) law.axis[i].below = AxisCoordinate::value;
  }
  return law;
}

double share_between(const AtlasLaw& law, const SolLaw& sol, size_t axis, double* at, double key_a,
                     double key_b) {
  const double x = at[axis];
  const double plain = (x - key_a) / (key_b - key_a);
  if (law.axis[axis].inside == AxisCoordinate::value || !sol) return plain;
  const double a = parts_at(sol, axis, at, key_a).work_ms();
  const double b = parts_at(sol, axis, at, key_b).work_ms();
  const double share = (parts_at(sol, axis, at, x).work_ms() - a) / (b - a);
  return share >= 0 && share <= 1 ? share : plain;  // also when it is not a number
}

double latency_beyond(const AtlasLaw& law, const SolLaw& sol, size_t axis, double* at, Arm a, Arm b) {
  const double x = at[axis];
  const bool above = x > a.key;
  const SolParts there = parts_at(sol, axis, at, x), here = parts_at(sol, axis, at, a.key);
  const bool known = there.bound_ms() > 0 && here.bound_ms() > 0;
  double hold = known ? a.latency_ms * there.bound_ms() / here.bound_ms() : a.latency_ms;
  if (!above) hold = std::min(hold, a.latency_ms);
  if (a.key == b.key) return hold;
  const bool in_value =
      !sol || (above ? law.axis[axis].above : law.axis[axis].below) == AxisCoordinate::value;
  const double from = in_value ? a.key : here.work_ms();
  const double slope =
      (a.latency_ms - b.latency_ms) / (from - (in_value ? b.key : parts_at(sol, axis, at, b.key).work_ms()));
  double line = a.latency_ms + slope * ((in_value ? x : there.work_ms()) - from);
  if (!std::isfinite(line)) line = hold;
  if (!above) return std::clamp(line, hold, a.latency_ms);
  const double bounded = std::clamp(line, a.latency_ms, std::max(a.latency_ms, law.growth_limit * hold));
  const double blend = std::min(kMostBlend, kBlendPerOctave * std::max(0.0, std::log2(x / a.key) - 1));
  if (blend == 0) return bounded;
  return std::pow(bounded, 1 - blend) * std::pow(std::max(hold, a.latency_ms), blend);
}

}  // namespace perfatlas
