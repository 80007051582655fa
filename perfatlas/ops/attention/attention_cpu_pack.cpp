// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_pack.h"

#include <algorithm>

namespace perfatlas {
namespace {

/// One row of packed values from the tokens that share it.
void interleave(const float* first, const float*, int64_t columns, float* packed) {
  std::copy_n(first, columns, packed);
}
void interleave(const Bf16* first, const Bf16* second, int64_t columns, Bf16* __restrict packed) {
  for (int64_t d = 0; d < columns; ++d) {
    packed[2 * d] = first[d];
    packed[2 * d + 1] = second[d];
  }
}

}  // namespace

template <class T>
void pack_key_page(const PackedSizes<T>& sizes, const T* page, int64_t filled, T* packed) {
  constexpr int64_t kPair = PackedSizes<T>::kInterleave;
  if (filled < kPageTokens || sizes.key_depth() != sizes.head_dim)
    std::fill_n(packed, kPageTokens * sizes.key_depth(), T{});
  const int64_t words = sizes.head_dim / kPair;
  for (int64_t word = 0; word < words; ++word)  // a transposition of 32-bit words
    for (int64_t token = 0; token < filled; ++token)
      std::memcpy(packed + (word * kPageTokens + token) * kPair, page + token * sizes.head_dim + word * kPair,
                  4);
  if (words * kPair < sizes.head_dim)
    for (int64_t token = 0; token < filled; ++token)
      packed[(words * kPageTokens + token) * kPair] = page[token * sizes.head_dim + words * kPair];
}

template <class T>
void pack_value_page(const PackedSizes<T>& sizes, const T* page, int64_t filled, int64_t at, T* packed) {
  constexpr int64_t kPair = PackedSizes<T>::kInterleave;
  constexpr T kNothing[kPackedColumns] = {};
  for (int64_t block = 0; block < sizes.value_blocks(); ++block) {
    T* to = packed + sizes.value_page(block, at);
    const int64_t first = block * kPackedColumns, columns = std::min(sizes.head_dim - first, kPackedColumns);
    if (columns < kPackedColumns || filled < kPageTokens) std::fill_n(to, kPageTokens * kPackedColumns, T{});
    for (int64_t token = 0; token < filled; token += kPair) {
      const T* row = page + token * sizes.head_dim + first;
      interleave(row, token + 1 < filled ? row + sizes.head_dim : kNothing, columns,
                 to + token * kPackedColumns);
    }
  }
}

template void pack_key_page(const PackedSizes<float>&, const float*, int64_t, float*);
template void pack_key_page(const PackedSizes<Bf16>&, const Bf16*, int64_t, Bf16*);
template void pack_value_page(const PackedSizes<float>&, const float*, int64_t, int64_t, float*);
template void pack_value_page(const PackedSizes<Bf16>&, const Bf16*, int64_t, int64_t, Bf16*);

}  // namespace perfatlas
