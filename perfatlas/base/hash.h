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

/// 16 lower-case hexadecimal digits.
std::string hex16(uint64_t value);

}  // namespace perfatlas
