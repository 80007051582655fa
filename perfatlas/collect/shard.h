// SPDX-License-Identifier: Apache-2.0
// One of the parts of a plan that machines share without talking to each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perfatlas {

/// One of `count` parts that together hold every case exactly once; or one of `pieces` of such a part, when the machine
/// that had it will not come back and several others take it over.
struct Shard {
  uint64_t index = 0;  // REQUIRES: index < count
  uint64_t count = 1;
  uint64_t piece = 0;  // REQUIRES: piece < pieces
  uint64_t pieces = 1;
  bool operator==(const Shard&) const = default;
};

/// "2/8" is the second of eight: {1, 8}; "2/8:1/3" the first third of that. Throws UsageError.
Shard parse_shard(std::string_view text);

/// The inverse: "2/8", "2/8:1/3".
std::string format_shard(const Shard& shard);

}  // namespace perfatlas
