// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_pack.h"

#include <algorithm>

#include "perfatlas/ops/attention/attention_cpu_transpose.h"

namespace perfatlas {
namespace {

/// One row of packed values from the tokens that share it.
void interleave(const float* first, const float*, int64_t columns, float* packed) {
  std::copy_n(first, columns, packed);
}
PERFATLAS_AVX512 void interleave(const Bf16* first, const Bf16* second, int64_t columns, Bf16* packed) {
  for (int64_t d = 0; d < columns; d += 16) {
    const auto lanes = __mmask16(columns - d >= 16 ? 0xFFFF : (1 << (columns - d)) - 1);
    const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, first + d)),
                  odd = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, second + d));
    _mm512_mask_storeu_epi32(packed + 2 * d, lanes, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
  }
}

}  // namespace

template <class T>
void pack_key_page(const PackedSizes<T>& sizes, const KvRows<T>& page, int64_t filled, T* packed) {
  constexpr int64_t kPair = PackedSizes<T>::kInterleave;
  if (filled < kPageTokens || sizes.key_depth() != sizes.head_dim)
    std::fill_n(packed, kPageTokens * sizes.key_depth(), T{});
  const int64_t words = sizes.head_dim / kPair, whole = filled == kPageTokens ? words / 16 * 16 : 0;
  for (int64_t word = 0; word < whole; word += 16)  // a transposition of 32-bit words
    for (int64_t token = 0; token < kPageTokens; token += 16)
      transpose_words(page.at + token * page.stride + word * kPair, page.stride * int64_t(sizeof(T)),
                      packed + (word * kPageTokens + token) * kPair, kPageTokens * 4);
  for (int64_t word = whole; word < words; ++word)
    for (int64_t token = 0; token < filled; ++token)
      std::memcpy(packed + (word * kPageTokens + token) * kPair, page.at + token * page.stride + word * kPair,
                  4);
  if (words * kPair < sizes.head_dim)
    for (int64_t token = 0; token < filled; ++token)
      packed[(words * kPageTokens + token) * kPair] = page.at[token * page.stride + words * kPair];
}

template <class T>
void pack_value_page(const PackedSizes<T>& sizes, const KvRows<T>& page, int64_t filled, int64_t at,
                     T* packed) {
  constexpr int64_t kPair = PackedSizes<T>::kInterleave;
  constexpr T kNothing[kPackedColumns] = {};
  for (int64_t block = 0; block < sizes.value_blocks(); ++block) {
    T* to = packed + sizes.value_page(block, at);
    const int64_t first = block * kPackedColumns, columns = std::min(sizes.value_dim - first, kPackedColumns);
    if (columns < kPackedColumns || filled < kPageTokens) std::fill_n(to, kPageTokens * kPackedColumns, T{});
    for (int64_t token = 0; token < filled; token += kPair) {
      const T* row = page.at + token * page.stride + first;
      interleave(row, token + 1 < filled ? row + page.stride : kNothing, columns,
                 to + token * kPackedColumns);
    }
  }
}

template void pack_key_page(const PackedSizes<float>&, const KvRows<float>&, int64_t, float*);
template void pack_key_page(const PackedSizes<Bf16>&, const KvRows<Bf16>&, int64_t, Bf16*);
template void pack_value_page(const PackedSizes<float>&, const KvRows<float>&, int64_t, int64_t, float*);
template void pack_value_page(const PackedSizes<Bf16>&, const KvRows<Bf16>&, int64_t, int64_t, Bf16*);

}  // namespace perfatlas
