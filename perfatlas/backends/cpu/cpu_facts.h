// SPDX-License-Identifier: Apache-2.0
// What Linux tells about the machine that a CPU device needs to know. Unknown is absent.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace perfatlas {

/// The first line of a small file without its newline, or nothing.
std::optional<std::string> first_line(const std::string& path);

/// "model name" of /proc/cpuinfo; "unknown CPU" when there is none.
std::string cpu_model_name();

/// Bytes of the last-level caches that serve `cores`, each counted once.
std::optional<double> last_level_cache_bytes(const std::vector<int>& cores);

/// Bytes of memory this process may ever use: of the machine, or of its control group when that is less.
std::optional<double> memory_limit_bytes();

/// Bytes that can be allocated now without swapping or exceeding the control group.
std::optional<double> memory_available_bytes();

}  // namespace perfatlas
