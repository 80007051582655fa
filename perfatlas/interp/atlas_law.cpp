// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_law.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

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

SolParts parts_at(const SolLaw& sol, size_t axis, double* at, double key) {
  if (!sol) return {};
  const double kept = at[axis];
  at[axis] = key;
  const SolParts parts = sol(at);
  at[axis] = kept;
  return parts;
}

double share_in_work(const SolParts& a, const SolParts& b, const SolParts& there, double plain) {
  const double share = (there.work_ms() - a.work_ms()) / (b.work_ms() - a.work_ms());
  return share >= 0 && share <= 1 ? share : plain;  // also when it is not a number
}

double share_between(const AtlasLaw& law, const SolLaw& sol, size_t axis, double* at, double key_a,
                     double key_b) {
  const double x = at[axis];
  const double plain = (x - key_a) / (key_b - key_a);
  if (law.axis[axis].inside == AxisCoordinate::value || !sol) return plain;
  return share_in_work(parts_at(sol, axis, at, key_a), parts_at(sol, axis, at, key_b),
                       parts_at(sol, axis, at, x), plain);
}

BeyondStep step_beyond(size_t axis, double key, double x) {
  BeyondStep step{axis, key, x, 0};
  if (x > 2 * key) step.blend = std::min(kMostBlend, kBlendPerOctave * (std::log2(x / key) - 1));
  return step;
}

double latency_beyond(const AtlasLaw& law, const BeyondStep& step, const Arm& a, const Arm& b,
                      const BeyondParts& parts) {
  const bool above = step.x > step.key;
  const double bound_there = parts.there.bound_ms(), bound_here = parts.a.bound_ms();
  const bool known = bound_there > 0 && bound_here > 0;
  double hold = known ? a.latency_ms * bound_there / bound_here : a.latency_ms;
  if (!above) hold = std::min(hold, a.latency_ms);
  if (a.key == b.key) return hold;
  const AxisRule& rule = law.axis[step.axis];
  const bool in_value = !parts.known || (above ? rule.above : rule.below) == AxisCoordinate::value;
  const double from = in_value ? a.key : parts.a.work_ms();
  const double slope = (a.latency_ms - b.latency_ms) / (from - (in_value ? b.key : parts.b.work_ms()));
  double line = a.latency_ms + slope * ((in_value ? step.x : parts.there.work_ms()) - from);
  if (!std::isfinite(line)) line = hold;
  if (!above) return std::clamp(line, hold, a.latency_ms);
  const double bounded = std::clamp(line, a.latency_ms, std::max(a.latency_ms, law.growth_limit * hold));
  const double held = std::max(hold, a.latency_ms);
  if (step.blend == 0 || held == bounded) return bounded;
  return bounded * std::pow(held / bounded, step.blend);
}

double latency_beyond(const AtlasLaw& law, const SolLaw& sol, size_t axis, double* at, Arm a, Arm b) {
  const BeyondParts parts{parts_at(sol, axis, at, a.key), parts_at(sol, axis, at, b.key),
                          parts_at(sol, axis, at, at[axis]), bool(sol)};
  return latency_beyond(law, step_beyond(axis, a.key, at[axis]), a, b, parts);
}

}  // namespace perfatlas
