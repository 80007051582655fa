// SPDX-License-Identifier: Apache-2.0
// Speed of light: the least time a device could need for an op.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "perfatlas/hw/system_spec.h"
#include "perfatlas/schema/measured_state.h"
#include "perfatlas/schema/work.h"

namespace perfatlas {

/// The peaks of a machine, laid out for questions that come by the million. 0: unknown.
struct PeakRates {
  explicit PeakRates(const SystemSpec& spec);

  std::array<double, kEnumNames<DType>.size()> flops{};  // FLOP/s by type
  double memory_bandwidth = 0, llc_bandwidth = 0;        // bytes/s
  double llc_bytes = 0;
};

/// The three lower bounds; they overlap perfectly at best, so the largest binds.
struct SpeedOfLight {
  double math_ms = 0;
  double memory_ms = 0;
  double llc_ms = 0;

  double ms() const;
  /// "math", "memory" or "llc": the largest; of equals the first named here.
  std::string_view bound() const;
};

/// Bytes are charged by cache state: serving: weights and KV to memory, activations to the last-level cache;
/// cold: everything to memory; hot: everything to the last-level cache when it fits there, else to memory.
/// Nothing when a needed peak is unknown (of `work.math` when there are flops, of memory when bytes are charged to
/// it): no guess is made. Bytes charged to a last-level cache of unknown bandwidth are free, and one of unknown size
/// holds everything: both still give a lower bound. Every peak is Figure::best().
///
/// Never decreases when flops or bytes grow, as long as the cache is no slower than memory. cold >= serving and
/// cold >= hot; serving may be below hot, because memory and cache deliver at the same time.
std::optional<SpeedOfLight> speed_of_light(const Work& work, const PeakRates& peaks, CacheState cache);
std::optional<SpeedOfLight> speed_of_light(const Work& work, const SystemSpec& spec, CacheState cache);

}  // namespace perfatlas
