// SPDX-License-Identifier: Apache-2.0
// Hashes that are written to files. Their values are part of the formats (docs/formats.md) and never change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perfatlas {

/// XXH64, seed 0: identities (case ids, plan hashes).
uint64_t hash64(std::string_view bytes);

/// XXH32, seed 0: record checksums.
uint32_t checksum32(std::string_view bytes);

/// Mixes two hashes; order matters.
uint64_t combine_hashes(uint64_t first, uint64_t second);

struct Hash128 {
  uint64_t high = 0, low = 0;
  bool operator==(const Hash128&) const = default;
};

/// XXH3 with 128 bits: keys of tables in memory, where even a billion of them do not collide.
Hash128 hash128(std::string_view bytes);

/// 16 lower-case hexadecimal digits.
std::string hex16(uint64_t value);

}  // namespace perfatlas
