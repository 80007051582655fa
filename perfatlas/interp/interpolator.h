// SPDX-License-Identifier: Apache-2.0
// One slice of a table (all points that differ only along the axes), ready to be asked.
#pragma once

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

/// Immutable once made; may be asked from many threads at once.
class Interpolator {
 public:
  virtual ~Interpolator() = default;

  /// Exact hit, else between the data, else efficiency held beyond the data, else a miss with its reason.
  virtual Estimate estimate(const Question& question) const = 0;
};

/// REQUIRES: at least one point; coordinates are distinct; latencies are positive. The order of the points matters
/// only for ties between equally distant sites (first wins).
std::unique_ptr<const Interpolator> make_interpolator(const AxisLayout& layout,
                                                      std::span<const MeasuredPoint> points);

}  // namespace perfatlas
