// SPDX-License-Identifier: Apache-2.0
// The law of the engine "atlas": along one axis, all others fixed, latency is close to affine in work = arithmetic +
// traffic (the two speed-of-light times added, because kernels overlap them badly). So between two keys latency is
// linear in work, and beyond the last key it continues on the line through an anchor two octaves inside, bounded by
// physics. No fitted constant inside the data; evidence: docs/accuracy.md.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "perfatlas/interp/estimate.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// The two lower bounds of a case. Both 0: unknown.
struct SolParts {
  double math_ms = 0;
  double memory_ms = 0;  // memory, cache or wire

  /// The least time: they overlap perfectly at best.
  double bound_ms() const { return math_ms > memory_ms ? math_ms : memory_ms; }
  /// The coordinate in which latency is close to affine.
  double work_ms() const { return math_ms + memory_ms; }
};

/// Both parts on the straight line from `a` (share 0) through `b` (share 1).
inline SolParts on_line(const SolParts& a, const SolParts& b, double share) {
  return {a.math_ms + (b.math_ms - a.math_ms) * share, a.memory_ms + (b.memory_ms - a.memory_ms) * share};
}

/// The speed of light at a position on the axes, outermost first. Empty: nothing is known about the machine, and then
/// nothing is answered beyond the data. Thread-safe.
using SolLaw = std::function<SolParts(const double* at)>;

enum class AxisCoordinate { value, work };

/// In which coordinate an axis is straight.
struct AxisRule {
  AxisCoordinate inside = AxisCoordinate::value;  // equals work wherever work is linear in the value
  AxisCoordinate above = AxisCoordinate::work;
  AxisCoordinate below = AxisCoordinate::work;
};

struct AtlasLaw {
  size_t axes = 1;
  std::array<AxisRule, kMaxAxes> axis{};
  double growth_limit = 1;  // beyond: at most this times what held efficiency would give
  /// One axis whose latency bends smoothly over many octaves (message sizes): monotone cubic between logarithms.
  bool log_curve = false;
};

/// The law of an op, from its axes and layout. REQUIRES: 1 to kMaxAxes axes.
AtlasLaw atlas_law(const OpType& op);

/// One end of a step along an axis.
struct Arm {
  double key = 0;
  double latency_ms = 0;
};

/// The speed of light at `at` with `axis` moved to `key`; zeros without a law. `at` is changed and restored.
SolParts parts_at(const SolLaw& sol, size_t axis, double* at, double key);

/// Share of the second of two arms at x, linear in work, whose speeds of light are `a`, `b` and `there`; linear in the
/// value (`plain`) where work does not grow from one to the other.
double share_in_work(const SolParts& a, const SolParts& b, const SolParts& there, double plain);

/// Share of the second arm at `at` (outer axes at keys, inner axes at the query): linear in the axis' coordinate.
/// REQUIRES: a.key < at[axis] < b.key. `at` is changed and restored.
double share_between(const AtlasLaw& law, const SolLaw& sol, size_t axis, double* at, double key_a,
                     double key_b);

/// The speed of light at the ends of a step beyond the data, and at its goal.
struct BeyondParts {
  SolParts a, b, there;
  bool known = true;  // false: there is no law, and all are zeros
};

/// A step from the outermost key of an axis to a place beyond it.
struct BeyondStep {
  size_t axis = 0;
  double key = 0, x = 0;
  double blend =
      0;  // share of held efficiency: above 0.1 per octave after the first, at most half (p99 98 -> 85 %)
};
BeyondStep step_beyond(size_t axis, double key, double x);

/// Latency beyond arm `a`, which is at the step's key, on the line through `b`. Equal keys: the line has one point, and
/// efficiency is held.
///   above: between no growth and growth_limit times held efficiency, blended with held efficiency
///   below: between held efficiency and no change
double latency_beyond(const AtlasLaw& law, const BeyondStep& step, const Arm& a, const Arm& b,
                      const BeyondParts& parts);

/// The same where `at` is the position: asks the law.
double latency_beyond(const AtlasLaw& law, const SolLaw& sol, size_t axis, double* at, Arm a, Arm b);

}  // namespace perfatlas
