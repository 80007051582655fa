// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/sol.h"

#include <algorithm>

namespace perfatlas {
namespace {

struct ChargedBytes {
  double memory = 0;
  double llc = 0;
};

ChargedBytes charge(const Work& work, const SystemSpec& spec, CacheState cache) {
  switch (cache) {
    case CacheState::serving:
      return {work.streamed_bytes(), work.activation_bytes()};
    case CacheState::cold:
      return {work.bytes(), 0};
    case CacheState::hot:
      if (!spec.llc_bytes || work.bytes() <= *spec.llc_bytes) return {0, work.bytes()};
      return {work.bytes(), 0};
  }
  return {};
}

/// Milliseconds for `amount` at `per_second`; no work takes no time at any speed, known or not.
std::optional<double> time_ms(double amount, std::optional<double> per_second) {
  if (amount <= 0) return 0;
  if (!per_second || *per_second <= 0) return std::nullopt;
  return amount / *per_second * 1e3;
}

std::optional<double> math_peak(const SystemSpec& spec, DType type) {
  const auto found = spec.flops.find(type);
  return found == spec.flops.end() ? std::nullopt : found->second.best();
}

}  // namespace

double SpeedOfLight::ms() const { return std::max({math_ms, memory_ms, llc_ms}); }

std::string_view SpeedOfLight::bound() const {
  if (math_ms >= memory_ms && math_ms >= llc_ms) return "math";
  return memory_ms >= llc_ms ? "memory" : "llc";
}

std::optional<SpeedOfLight> speed_of_light(const Work& work, const SystemSpec& spec, CacheState cache) {
  const ChargedBytes bytes = charge(work, spec, cache);
  const auto math = time_ms(work.flops, math_peak(spec, work.math));
  const auto memory = time_ms(bytes.memory, spec.memory_bandwidth.best());
  if (!math || !memory) return std::nullopt;
  return SpeedOfLight{*math, *memory, time_ms(bytes.llc, spec.llc_bandwidth.best()).value_or(0)};
}

}  // namespace perfatlas
