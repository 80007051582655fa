// SPDX-License-Identifier: Apache-2.0
// What the CPU kernels of attention share: element types, the paged cache as raw memory, kernel makers.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/cpu/stored_element.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// Rows of keys or values of one head, `stride` elements apart.
template <class T>
struct KvRows {
  const T* at;
  int64_t stride;
};

/// The operands of one launch with a paged cache, typed. Kernels that are templates over the memory take any class with
///   Element, q, out                       q[batch*isl, heads, head_dim], out[batch*isl, heads, value_dim]
///   keys, values(shape, sequence, kv_head, page)   the KvRows of positions 64*page ..
///   write_new_tokens(shape, sequence, kv_head)     called once for every pair before anything is read
template <class T>
struct AttentionMemory {
  using Element = T;

  explicit AttentionMemory(std::span<void* const> operands)
      : q(static_cast<const T*>(operands[q_at])),
        k(static_cast<const T*>(operands[k_at])),
        v(static_cast<const T*>(operands[v_at])),
        k_cache(static_cast<T*>(operands[k_cache_at])),
        v_cache(static_cast<T*>(operands[v_cache_at])),
        page_table(static_cast<const int32_t*>(operands[page_table_at])),
        out(static_cast<T*>(operands[out_at])) {}

  KvRows<T> keys(const AttentionShape& s, int64_t sequence, int64_t kv_head, int64_t page) const;
  KvRows<T> values(const AttentionShape& s, int64_t sequence, int64_t kv_head, int64_t page) const;
  void write_new_tokens(const AttentionShape& s, int64_t sequence, int64_t kv_head) const;

  const T *q, *k, *v;
  T *k_cache, *v_cache;
  const int32_t* page_table;
  T* out;
};

/// Operands of a launch whose keys and values all lie dense, [batch * context_tokens, kv_heads, dim].
template <class T>
struct DenseAttentionMemory {
  using Element = T;

  KvRows<T> keys(const AttentionShape& s, int64_t sequence, int64_t kv_head, int64_t page) const {
    return rows(s, k, s.head_dim, sequence, kv_head, page);
  }
  KvRows<T> values(const AttentionShape& s, int64_t sequence, int64_t kv_head, int64_t page) const {
    return rows(s, v, s.value_width(), sequence, kv_head, page);
  }
  void write_new_tokens(const AttentionShape&, int64_t, int64_t) const {}

  const T *q, *k, *v;
  T* out;

 private:
  static KvRows<T> rows(const AttentionShape& s, const T* start, int64_t width, int64_t sequence,
                        int64_t kv_head, int64_t page) {
    const int64_t token = sequence * s.context_tokens() + page * kPageTokens;
    return {start + (token * s.kv_heads + kv_head) * width, s.kv_heads * width};
  }
};

/// Elements before page `page` (counted within its sequence) of one sequence and key/value head in either cache;
/// the page's 64 tokens of head_dim elements follow there without gaps.
template <class T>
size_t page_offset(const AttentionShape& s, const AttentionMemory<T>& memory, int64_t sequence,
                   int64_t kv_head, int64_t page) {
  const int64_t physical = memory.page_table[sequence * s.pages_per_sequence() + page];
  return size_t((physical * s.kv_heads + kv_head) * kPageTokens * s.head_dim);
}

/// Copies the new keys and values of one sequence and key/value head into the cache.
template <class T>
void write_new_tokens(const AttentionShape& s, const AttentionMemory<T>& memory, int64_t sequence,
                      int64_t kv_head) {
  for (int64_t token = 0; token < s.isl; ++token) {
    const int64_t position = s.step + token;
    const size_t to = page_offset(s, memory, sequence, kv_head, position / kPageTokens) +
                      size_t(position % kPageTokens * s.head_dim);
    const size_t from = size_t(((sequence * s.isl + token) * s.kv_heads + kv_head) * s.head_dim);
    std::memcpy(memory.k_cache + to, memory.k + from, size_t(s.head_dim) * sizeof(T));
    std::memcpy(memory.v_cache + to, memory.v + from, size_t(s.head_dim) * sizeof(T));
  }
}

template <class T>
KvRows<T> AttentionMemory<T>::keys(const AttentionShape& s, int64_t sequence, int64_t kv_head,
                                   int64_t page) const {
  return {k_cache + page_offset(s, *this, sequence, kv_head, page), s.head_dim};
}
template <class T>
KvRows<T> AttentionMemory<T>::values(const AttentionShape& s, int64_t sequence, int64_t kv_head,
                                     int64_t page) const {
  return {v_cache + page_offset(s, *this, sequence, kv_head, page), s.head_dim};
}
template <class T>
void AttentionMemory<T>::write_new_tokens(const AttentionShape& s, int64_t sequence, int64_t kv_head) const {
  perfatlas::write_new_tokens(s, *this, sequence, kv_head);
}

/// Why this CPU has no AVX-512 for `dtype` (with its bf16 extension for bf16), or empty.
std::string why_no_avx512(DType dtype, const CpuDevice& device);

/// Why no CPU kernel here computes with these types, or empty.
std::string why_no_cpu_types(const AttentionShape& shape);

/// oneDNN matmuls on packed keys and values with an online softmax between them. REQUIRES: AVX-512, with its bf16
/// extension for bf16.
std::unique_ptr<PreparedKernel> make_blocked_attention(const AttentionShape& shape, CpuDevice& device);

/// One pass over the cache with AVX-512, split between threads along the sequence. REQUIRES: isl 1; AVX-512, with its
/// bf16 extension for bf16; head_dim up to 256.
std::unique_ptr<PreparedKernel> make_streaming_attention(const AttentionShape& shape, CpuDevice& device);

/// The same in AMX tiles. REQUIRES: isl 1; bf16; AMX and AVX-512 with bf16; head_dim a multiple of 32 up to 256.
std::unique_ptr<PreparedKernel> make_tiled_streaming_attention(const AttentionShape& shape,
                                                               CpuDevice& device);

/// Plain loops for any CPU.
std::unique_ptr<PreparedKernel> make_portable_attention(const AttentionShape& shape, CpuDevice& device);

}  // namespace perfatlas
