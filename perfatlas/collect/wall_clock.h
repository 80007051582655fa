// SPDX-License-Identifier: Apache-2.0
// Dates for records. Durations never come from here: they use the steady clock.
#pragma once

#include <optional>
#include <string>

namespace perfatlas {

/// "2026-01-31T12:00:00.123Z".
std::string utc_now();

/// Seconds since 1970 of a time that utc_now() wrote; nothing for any other text.
std::optional<double> utc_seconds(const std::string& text);

/// "20260131T120000.123456Z-1a2b3c4d": sorts by time; differs between machines, processes and calls.
std::string new_run_id();

std::string host_name();

}  // namespace perfatlas
