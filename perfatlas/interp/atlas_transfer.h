// SPDX-License-Identifier: Apache-2.0
// Slices of which nothing was measured: a rank with the same local shape and the same local work runs the same kernel,
// whatever parallel split or model it came from, so the most similar measured slices say how far it stays from a
// roofline of three numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "perfatlas/interp/atlas_slice.h"
#include "perfatlas/schema/resemblance.h"

namespace perfatlas {

/// latency = floor + math * arithmetic + memory * traffic.
struct Roofline {
  double floor_ms = 0;
  double math = 0;    // times the speed-of-light time of arithmetic
  double memory = 0;  // times that of traffic

  double at(const SolParts& sol) const { return floor_ms + math * sol.math_ms + memory * sol.memory_ms; }
  bool operator==(const Roofline&) const = default;
};

struct RooflinePoint {
  SolParts sol;
  double latency_ms = 0;
};

/// Least squares of the relative error, no coefficient negative. REQUIRES: at least one point; latencies positive.
Roofline fit_roofline(std::span<const RooflinePoint> points);

/// What makes a slice resemble another.
struct TransferShape : Likeness {
  SolLaw sol;  // of the slice, along its axes
};

struct TransferMember {
  TransferShape shape;
  const AtlasSlice* slice = nullptr;  // outlives the group
};

/// Half-widths by the spread of the neighbours' residuals.
using TransferBars = std::array<BarWidths, kBarBins>;

/// A similar slice and its share.
struct TransferNeighbour {
  uint32_t member = 0;
  double squared_distance = 0;
  double share = 0;  // the shares sum to 1
};

struct TransferEstimate {
  double latency_ms = 0;
  double spread = 0;  // weighted standard deviation of the neighbours' residuals, in logarithms
};

/// Immutable once made; may be asked from many threads at once.
class TransferGroup {
 public:
  /// REQUIRES: at least one member; the members have as many axes and features.
  TransferGroup(TransferRule rule, std::vector<TransferMember> members);

  /// The most similar members but those of `without`, nearest first; keep them for all questions about one slice.
  std::vector<TransferNeighbour> neighbours(const TransferShape& shape,
                                            std::span<const uint32_t> without = {}) const;

  /// roofline * exp(mean residual of the neighbours at the same local work).
  /// REQUIRES: neighbours are of this group, at least one.
  TransferEstimate estimate(const TransferShape& shape, std::span<const TransferNeighbour> neighbours,
                            const double* at) const;

  /// Each of up to `most` members estimated from the others.
  TransferBars calibrate(size_t most) const;

  const Roofline& roofline() const { return roofline_; }
  const std::vector<TransferMember>& members() const { return members_; }

 private:
  /// Residuals of a slice of one axis over the logarithm of local work.
  struct Curve {
    std::vector<double> log_local, residual;
    double at(double log_local_work) const;
  };
  double residual(uint32_t member, const TransferShape& asked, const double* at) const;
  void fit();

  TransferRule rule_;
  std::vector<TransferMember> members_;
  std::vector<Curve> curves_;  // by member; empty with more axes
  Roofline roofline_;
};

/// The half-width of an estimate.
const BarWidths& width_of(const TransferBars& bars, double spread);

}  // namespace perfatlas
