// SPDX-License-Identifier: Apache-2.0
// The AMX instructions that decode attention needs, as inline assembly: the intrinsics of GCC 12.2 tell the compiler
// about 8 bytes of the 64-byte configuration only, so that stores to the others are dropped.
// REQUIRES everywhere: CpuIsa::amx_bf16.
#pragma once

#include <cstdint>

namespace perfatlas {

/// Rows of a tile, and 32-bit words per row.
inline constexpr int64_t kTileRows = 16, kTileWords = 16;
inline constexpr int64_t kTileBytes = kTileRows * kTileWords * 4;

/// The calling thread's eight tiles, all of full size, for the life of the object. Nothing else may configure tiles on
/// this thread meanwhile; their content does not survive.
class FullTiles {
 public:
  FullTiles() {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } configuration;
    static_assert(sizeof configuration == 64);
    asm volatile("ldtilecfg %0" : : "m"(configuration));
  }
  ~FullTiles() { asm volatile("tilerelease"); }
  FullTiles(const FullTiles&) = delete;
  FullTiles& operator=(const FullTiles&) = delete;
};

/// tile[row, :] = the 64 bytes at from + row * row_bytes.
template <int tile>
inline void load_tile(const void* from, int64_t row_bytes) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(tile), "r"(from), "r"(row_bytes) : "memory");
}

/// Dense: rows follow each other.
template <int tile>
inline void store_tile(void* to) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(tile), "r"(to), "r"(int64_t(64)) : "memory");
}

template <int tile>
inline void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(tile));
}

/// sum[m, n] += a[m, 2k] * b[k, 2n] + a[m, 2k + 1] * b[k, 2n + 1] over k < 16: sum in f32, a and b in bf16.
template <int sum, int a, int b>
inline void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(a), "i"(b));
}

}  // namespace perfatlas
