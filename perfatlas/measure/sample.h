// SPDX-License-Identifier: Apache-2.0
// What a measurement is, with units in the names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/schema/measured_state.h"

namespace perfatlas {

/// One look at a device's sensors. What the device cannot tell is absent, never zero.
struct SensorReading {
  std::optional<double> clock_mhz;
  std::optional<double> temperature_c;
  std::optional<double> power_w;
  std::optional<double> power_limit_w;
  std::optional<double> energy_mj;      // running counter, millijoules since some start
  std::optional<std::string> throttle;  // empty text: known not to throttle; else the reasons
};

/// The raw result of one `sample` request: one entry per repetition, nothing averaged away.
struct Samples {
  std::vector<double> latency_ms;  // per launch: a repetition's time divided by its launches
  int launches_per_sample = 1;     // launches in one timed repetition
  double bytes_touched = 0;        // distinct operand bytes read between two uses of the same buffer
  CacheState cache = CacheState::serving;
  LaunchMode launch = LaunchMode::direct;
  std::string launch_note;  // why a graph was not used, when it was asked for; what the kernel chose
  SensorReading before, after;
};

}  // namespace perfatlas
