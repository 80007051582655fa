// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace perfatlas {

uint64_t hash64(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

uint32_t checksum32(std::string_view bytes) { return XXH32(bytes.data(), bytes.size(), 0); }

uint64_t combine_hashes(uint64_t first, uint64_t second) {
  const uint64_t pair[] = {first, second};
  return XXH64(pair, sizeof pair, 0);
}

Hash128 hash128(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

std::string hex16(uint64_t value) { return fmt::format("{:016x}", value); }

}  // namespace perfatlas
