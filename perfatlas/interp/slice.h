// SPDX-License-Identifier: Apache-2.0
// One slice of an op's table: rows that agree in the exact fields and in how they were measured, as an interpolator
// over the op's axes with the op's own speed of light.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "perfatlas/hw/sol.h"
#include "perfatlas/interp/interpolator.h"
#include "perfatlas/interp/leave_one_out.h"

namespace perfatlas {

/// Where the values of an op lie on its axes.
Coordinates coordinates_of(const OpType& op, const FieldValues& values);

/// The machine and the state of its caches, which a speed of light is for. No machine: no speed of light.
struct SolContext {
  const SystemSpec* system = nullptr;  // outlives whatever keeps the context
  CacheState cache = CacheState::serving;
};

/// Milliseconds, or 0 when unknown.
double sol_ms(const OpType& op, const FieldValues& values, const SolContext& context);

/// The op's speed of light along its axes, all other fields as in `values`. REQUIRES: op and system outlive it.
SolFunction sol_along_axes(const OpType& op, const FieldValues& values, const SolContext& context);

/// What a slice is made of. REQUIRES: all values have the same OpType::slice_of.
struct SlicePoint {
  FieldValues values{};
  double latency_ms = 0;            // REQUIRES: > 0
  std::optional<double> energy_mj;  // absent when unknown
};

/// Immutable once made; may be asked from many threads at once.
class Slice {
 public:
  /// Latencies below the speed of light are raised to it when the op's layout says so and it is known.
  /// REQUIRES: at least one point; the points differ on the axes; `op` and the context's system outlive the slice.
  Slice(const OpType& op, std::span<const SlicePoint> points, SolContext context);

  /// Supports are indices into the points the slice was made from.
  Estimate estimate(const FieldValues& values) const;

  /// With the latencies in use.
  std::span<const MeasuredPoint> points() const { return points_; }
  /// The stored latency of the point was below the speed of light.
  bool raised(uint32_t point) const { return !raised_.empty() && raised_[point]; }

  /// Residuals of this slice: each of up to `most` points, evenly spread, estimated from all others.
  std::vector<Residual> leave_one_out(size_t most) const;
  /// Residuals of holding: the outer octaves of each axis estimated from the rest (leave_edges_out).
  std::vector<Residual> leave_edges_out(size_t most) const;

 private:
  const OpType* op_;
  SolContext context_;
  FieldValues prototype_;
  AxisLayout layout_;
  std::vector<MeasuredPoint> points_;
  std::vector<bool> raised_;  // empty: none
  std::unique_ptr<const Interpolator> interpolator_;
};

/// Leave-one-out over rows of one op, one measuring state and one kernel: split into slices, up to
/// `most_per_slice` points of each. Of rows at the same place the first counts. Slices of one point say nothing.
std::vector<Residual> leave_one_out_by_slice(const OpType& op, std::span<const SlicePoint> rows,
                                             SolContext context, size_t most_per_slice);

}  // namespace perfatlas
