// SPDX-License-Identifier: Apache-2.0
// One slice of a table (all points that differ only along the axes), ready to be asked.
#pragma once

#include <limits>
#include <memory>
#include <span>

#include "perfatlas/interp/estimate.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// The axis decision of an op, as far as a resolver needs it.
struct AxisLayout {
  size_t axes = 1;
  std::array<Transform, kMaxAxes> transforms{};
  Resolver resolver = Resolver::grid;
  size_t site_axes = 0;  // Resolver::sites: the leading axes that name a site
  /// A blend of points that all keep the speed of light is raised to it where it would beat it.
  bool raise_blends = true;
};

/// REQUIRES: the op has 1 to kMaxAxes axes; with Resolver::sites, one axis more than site axes.
AxisLayout axis_layout(const OpType& op);

inline constexpr uint32_t kNoPoint = UINT32_MAX;

/// What is asked of an interpolator.
struct Question {
  Coordinates at{};
  const SolFunction& sol;
  uint32_t without = kNoPoint;  // answer as if this point had not been measured (leave-one-out)
};

/// An answer without its points and its distance: what a search asks for a million times.
struct Reading {
  EstimateKind kind = EstimateKind::miss;
  double latency_ms = 0;
  double energy_mj = std::numeric_limits<double>::quiet_NaN();  // not a number when unknown
  std::string_view miss_reason;
};

/// Immutable once made; may be asked from many threads at once.
class Interpolator {
 public:
  virtual ~Interpolator() = default;

  /// Exact hit, else between the data, else efficiency held beyond the data, else a miss with its reason.
  virtual Estimate estimate(const Question& question) const = 0;
  /// The same answer, faster.
  virtual Reading read(const Question& question) const = 0;
};

/// `sol`: when given, the function that every question will come with; holding is faster then.
/// REQUIRES: at least one point; coordinates are distinct; latencies are not negative (0: a measured absence, of which
/// no efficiency is held). The order of the points matters only for ties between equally distant sites (first wins).
std::unique_ptr<const Interpolator> make_interpolator(const AxisLayout& layout,
                                                      std::span<const MeasuredPoint> points,
                                                      const SolFunction& sol = {});

}  // namespace perfatlas
