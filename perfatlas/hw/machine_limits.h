// SPDX-License-Identifier: Apache-2.0
// How much of the machine this process may use: installed memory and the limits of its control groups.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace perfatlas {

struct MachineLimits {
  std::optional<double> memory_bytes;  // installed, or the control group's limit when that is lower
  std::optional<double> cpu_quota;     // processors' worth of time that the control group grants
  std::vector<std::string> notes;      // limits that are in force, one line each
};

/// Reads proc/meminfo, proc/self/cgroup and sys/fs/cgroup below `root` ("/" outside tests). The limits of a group and
/// of every group above it hold; versions 1 and 2 of control groups are understood. Missing files are no limits.
MachineLimits read_machine_limits(const std::string& root);

}  // namespace perfatlas
