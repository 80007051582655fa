// SPDX-License-Identifier: Apache-2.0
// Transposition of 32-bit words in AVX-512.
#pragma once

#include <cstdint>

#include "perfatlas/backends/cpu/avx512.h"

namespace perfatlas {

/// Word `row` of row `column` of `to` = word `column` of row `row` of `from`, for 16 rows and columns. Rows are
/// `from_bytes` and `to_bytes` apart.
PERFATLAS_AVX512 inline void transpose_words(const void* from, int64_t from_bytes, void* to,
                                             int64_t to_bytes) {
  const auto* in = static_cast<const char*>(from);
  auto* out = static_cast<char*>(to);
  __m512i r[16], s[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_si512(in + i * from_bytes);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {  // pairs of rows
    s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {  // lane j of r[i + k]: column 4j + k of rows i .. i + 3
    r[i] = _mm512_unpacklo_epi64(s[i], s[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(s[i], s[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(s[i + 1], s[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(s[i + 1], s[i + 3]);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {  // a transposition of 4 x 4 lanes
    const __m512i a = _mm512_shuffle_i32x4(r[k], r[k + 4], 0x44),
                  b = _mm512_shuffle_i32x4(r[k], r[k + 4], 0xEE);
    const __m512i c = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0x44),
                  d = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0xEE);
    _mm512_storeu_si512(out + k * to_bytes, _mm512_shuffle_i32x4(a, c, 0x88));
    _mm512_storeu_si512(out + (k + 4) * to_bytes, _mm512_shuffle_i32x4(a, c, 0xDD));
    _mm512_storeu_si512(out + (k + 8) * to_bytes, _mm512_shuffle_i32x4(b, d, 0x88));
    _mm512_storeu_si512(out + (k + 12) * to_bytes, _mm512_shuffle_i32x4(b, d, 0xDD));
  }
}

}  // namespace perfatlas
