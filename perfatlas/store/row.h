// SPDX-License-Identifier: Apache-2.0
// One measured row: what a table holds, in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/schema/measured_state.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// perfatlas's own columns. Absent for rows of foreign tables.
struct RowQuality {
  int64_t samples = 0;
  double latency_p10_ms = 0;
  double latency_p90_ms = 0;
  double rel_ci95 = 0;  // half-width of the 95 % interval of the median, relative to the median
  CacheState cache_state = CacheState::serving;
  LaunchMode launch = LaunchMode::direct;
  std::optional<double> clock_mhz;  // absent when the device cannot tell: never zero
  std::optional<double> temperature_c;
  bool throttled = false;            // every attempt was throttled; the row is marked, not dropped
  std::optional<double> energy_mj;   // per launch
  std::optional<double> efficiency;  // speed of light / latency, in this cache state
  uint64_t seed = 0;
  uint64_t case_id = 0;
  std::string run_id;
  bool operator==(const RowQuality&) const = default;
};

struct Row {
  Case c;                        // the op's fields; the op gives op_name and the table
  std::string framework;         // back end: "onednn", "cuda"; foreign tables: "TRTLLM", ...
  std::string version;           // of the kernel library
  std::string device;            // vendor's name of the part
  std::string kernel_source;     // the kernel that really ran
  std::vector<double> measured;  // one value per OpInfo::measured column, in its unit
  std::optional<double> power_w;
  std::optional<double> power_limit_w;
  std::optional<RowQuality> quality;
  bool operator==(const Row&) const = default;
};

/// The median latency: the measured columns summed in milliseconds.
double latency_ms(const Row& row);

/// What distinguishes a row from another measurement of the same thing: op fields, kernel_source, cache_state and
/// launch. The newest row of an identity wins, never across identities.
uint64_t row_identity(const Row& row);

}  // namespace perfatlas
