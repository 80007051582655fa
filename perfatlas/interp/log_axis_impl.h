// SPDX-License-Identifier: Apache-2.0
// Shared by the resolvers: the logarithmic scale of distances, and latency with power.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "perfatlas/interp/estimate.h"

namespace perfatlas {

/// log2, with a floor that keeps a coordinate of 0 (an empty prefix) finite and far from everything else.
inline double octave_of(int64_t coordinate) { return std::log2(std::max(double(coordinate), 1e-12)); }

/// Latency, and the power that goes with it. Power rather than energy is blended: it varies slowly, energy does not.
struct PoweredLatency {
  double latency_ms = 0;
  double power_w = std::numeric_limits<double>::quiet_NaN();  // not a number: unknown

  std::optional<double> energy_mj() const {
    if (std::isnan(power_w)) return std::nullopt;
    return power_w * latency_ms;
  }
};

inline double power_of(double energy_mj, double latency_ms) { return energy_mj / latency_ms; }

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

inline void add_support(Estimate& estimate, uint32_t point, double weight) {
  estimate.supports[estimate.support_count++] = {point, weight};
}

inline constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

}  // namespace perfatlas
