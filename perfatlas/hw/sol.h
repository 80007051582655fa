// SPDX-License-Identifier: Apache-2.0
// Speed of light: the least time a device could need for an op.
#pragma once

#include <optional>
#include <string_view>

#include "perfatlas/hw/system_spec.h"
#include "perfatlas/schema/measured_state.h"
#include "perfatlas/schema/work.h"

namespace perfatlas {

/// The three lower bounds; they overlap perfectly at best, so the largest binds.
struct SpeedOfLight {
  double math_ms = 0;
  double memory_ms = 0;
  double llc_ms = 0;

  double ms() const;
  /// "math", "memory" or "llc".
  std::string_view bound() const;
};

/// Bytes are charged by cache state: serving: weights and KV to memory, activations to the last-level cache;
/// cold: everything to memory; hot: everything to the last-level cache when it fits there, else to memory.
/// Nothing when a needed peak is unknown: no guess is made. A last-level-cache bandwidth that is unknown is charged
/// at memory bandwidth only for bytes that `cold` would charge there, else as free (still a lower bound).
std::optional<SpeedOfLight> speed_of_light(const Work& work, const SystemSpec& spec, CacheState cache);

}  // namespace perfatlas
