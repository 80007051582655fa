// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/sol.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace perfatlas {
namespace {

struct ChargedBytes {
  double memory = 0;
  double llc = 0;
};

ChargedBytes charge(const Work& work, double llc_bytes, CacheState cache) {
  switch (cache) {
    case CacheState::serving:
      return {work.streamed_bytes(), work.activation_bytes()};
    case CacheState::cold:
      return {work.bytes(), 0};
    case CacheState::hot:
      if (!(llc_bytes > 0) || work.bytes() <= llc_bytes) return {0, work.bytes()};
      return {work.bytes(), 0};
  }
  return {};
}

/// Milliseconds for `amount` at `per_second`; no work takes no time at any speed, known or not. Infinite: unknown.
double time_ms(double amount, double per_second) {
  if (!(amount > 0)) return 0;
  return per_second > 0 ? amount / per_second * 1e3 : std::numeric_limits<double>::infinity();
}

}  // namespace

PeakRates::PeakRates(const SystemSpec& spec)
    : memory_bandwidth(spec.memory_bandwidth.best().value_or(0)),
      llc_bandwidth(spec.llc_bandwidth.best().value_or(0)),
      llc_bytes(spec.llc_bytes.value_or(0)) {
  for (const auto& [type, peak] : spec.flops) flops[size_t(type)] = peak.best().value_or(0);
}

double SpeedOfLight::ms() const { return std::max({math_ms, memory_ms, llc_ms}); }

std::string_view SpeedOfLight::bound() const {
  if (math_ms >= memory_ms && math_ms >= llc_ms) return "math";
  return memory_ms >= llc_ms ? "memory" : "llc";
}

std::optional<SpeedOfLight> speed_of_light(const Work& work, const PeakRates& peaks, CacheState cache) {
  const ChargedBytes bytes = charge(work, peaks.llc_bytes, cache);
  const SpeedOfLight found{time_ms(work.flops, peaks.flops[size_t(work.math)]),
                           time_ms(bytes.memory, peaks.memory_bandwidth),
                           peaks.llc_bandwidth > 0 ? time_ms(bytes.llc, peaks.llc_bandwidth) : 0};
  if (std::isinf(found.math_ms) || std::isinf(found.memory_ms)) return std::nullopt;
  return found;
}

std::optional<SpeedOfLight> speed_of_light(const Work& work, const SystemSpec& spec, CacheState cache) {
  return speed_of_light(work, PeakRates(spec), cache);
}

}  // namespace perfatlas
