// SPDX-License-Identifier: Apache-2.0
// Included before every source of ggml's CPU library (cmake/ggml/CMakeLists.txt). GCC 12.2 declares that LDTILECFG
// reads 8 of the 64 bytes of a tile configuration, and that TILELOADD reads no memory; it then drops or moves the
// stores that fill them, every tile has size zero, and the first tile instruction faults. GCC 12.4 and 13.3 say it
// right. The same two intrinsics, with their memory told in full:
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__AMX_TILE__)
#include <immintrin.h>

struct perfatlas_tile_config {
  unsigned char bytes[64];
};

static inline __attribute__((always_inline)) void perfatlas_tile_loadconfig(const void* config) {
  __asm__ volatile("ldtilecfg %0" : : "m"(*(const struct perfatlas_tile_config*)config));
}

#define perfatlas_tile_loadd(tile, base, stride)                   \
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile              \
                   :                                               \
                   : "r"((const void*)(base)), "r"((long)(stride)) \
                   : "memory")

#undef _tile_loadconfig
#undef _tile_loadd
#define _tile_loadconfig(config) perfatlas_tile_loadconfig(config)
#define _tile_loadd(tile, base, stride) perfatlas_tile_loadd(tile, base, stride)
#endif
