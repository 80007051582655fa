// SPDX-License-Identifier: Apache-2.0
// An old table as first guess: as it is, or scaled by the speeds of light of both machines, or not at all. Which one is
// decided by what the first new measurements say.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

enum class PriorUse { none, raw, scaled };

template <>
inline constexpr auto kEnumNames<PriorUse> =
    std::array{EnumName<PriorUse>{PriorUse::none, "none"}, EnumName<PriorUse>{PriorUse::raw, "raw"},
               EnumName<PriorUse>{PriorUse::scaled, "scaled"}};

/// What is known of one case before it is measured.
struct PriorPoint {
  double old_ms = 0;      // measured on the old machine or version
  double old_sol_ms = 0;  // speeds of light; 0: unknown, which rules scaling out
  double new_sol_ms = 0;
};

/// The expected latency in ln(ms), without bias: ln(old), or ln(old * (new_sol + t0) / (old_sol + t0)).
/// REQUIRES: use is raw or scaled; old_ms > 0; floor_ms >= 0 (t0, the launch floor).
double prior_mean(const PriorPoint& point, PriorUse use, double floor_ms);

struct PriorScore {
  double error = 0;  // median |ln(measured) - leave-one-out prediction|: the median of the other residuals
  double bias = 0;   // median residual: what all predictions are shifted by
};

/// REQUIRES: as many latencies as points, at least two, all > 0.
PriorScore score_prior(std::span<const PriorPoint> points, std::span<const double> measured_ms, PriorUse use,
                       double floor_ms);

/// The better of raw and scaled, of equals raw; raw when a speed of light is unknown.
PriorUse choose_prior(std::span<const PriorPoint> points, std::span<const double> measured_ms,
                      double floor_ms);

}  // namespace perfatlas
