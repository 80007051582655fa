// SPDX-License-Identifier: Apache-2.0
// Recorded traces of requests, read line by line.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "perfatlas/serving/workload.h"

namespace perfatlas {

/// Opens a trace: JSON lines as Mooncake publishes them ({"timestamp", "input_length", "output_length"}; hash_ids are
/// not used, a prefix cache is not modelled), or CSV with a header naming the same three columns in any order.
/// Timestamps are milliseconds of any clock and must not go back; times count from the first. Which of the two: by the
/// first character of the file. A request of more than `most_tokens` tokens, prompt and output, is bad content. Throws
/// Error for a file that cannot be read or has no request; next() throws Error with the number of a bad line.
std::shared_ptr<TraceSource> open_trace(const std::string& path, std::optional<int64_t> most_tokens = {});

}  // namespace perfatlas
