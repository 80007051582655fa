// SPDX-License-Identifier: Apache-2.0
// Keys and values in the layout that oneDNN's packed matmuls read: blocks of 64 columns, and for bf16 two consecutive
// rows interleaved (oneDNN's BA16a64b2a, for f32 BA16a64b).
#pragma once

#include "perfatlas/ops/attention/attention_cpu.h"

namespace perfatlas {

inline constexpr int64_t kPackedColumns = 64;

/// Sizes of the packed keys and values of one key/value head over `tokens` tokens, whole pages.
template <class T>
struct PackedSizes {
  static constexpr int64_t kInterleave = 4 / int64_t(sizeof(T));  // rows packed into one 32-bit word
  static constexpr int64_t kDepth = 16 * kInterleave;             // rows per oneDNN block

  int64_t head_dim = 0;   // of keys and queries
  int64_t value_dim = 0;  // of values
  int64_t tokens = 0;

  /// head_dim of keys and queries, filled up with zeros.
  int64_t key_depth() const { return (head_dim + kDepth - 1) / kDepth * kDepth; }
  int64_t value_blocks() const { return (value_dim + kPackedColumns - 1) / kPackedColumns; }
  size_t key_elements() const { return size_t(key_depth() * tokens); }
  size_t value_elements() const { return size_t(value_blocks() * kPackedColumns * tokens); }
  /// Elements before the keys of page `page`: one 64-column block per page.
  size_t key_page(int64_t page) const { return size_t(page * kPageTokens * key_depth()); }
  /// Elements before the values of page `page` in column block `block`.
  size_t value_page(int64_t block, int64_t page) const {
    return size_t((block * tokens + page * kPageTokens) * kPackedColumns);
  }
};

/// Packs one page of which the first `filled` tokens hold data; the others become zero and are not read.
template <class T>
void pack_key_page(const PackedSizes<T>& sizes, const KvRows<T>& page, int64_t filled, T* packed);

/// The same for values; `packed` is the start of all packed values and `at` the page to write.
template <class T>
void pack_value_page(const PackedSizes<T>& sizes, const KvRows<T>& page, int64_t filled, int64_t at,
                     T* packed);

}  // namespace perfatlas
