// SPDX-License-Identifier: Apache-2.0
// What the CPU kernels of latent attention share: where a launch finds its rows.
#pragma once

#include "perfatlas/ops/attention/attention_cpu.h"
#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {

/// The paged latent cache as raw memory.
template <class T>
struct LatentCache {
  T* rows;
  const int32_t* page_table;
  const T* latent;  // of the new tokens

  T* page(const AttentionShape& s, int64_t sequence, int64_t page) const {
    return rows + size_t(page_table[sequence * s.pages_per_sequence() + page]) * kPageTokens * kMlaCached;
  }
  void write_new_tokens(const AttentionShape& s, int64_t sequence) const {
    for (int64_t token = 0; token < s.isl; ++token) {
      const int64_t position = s.step + token;
      std::memcpy(page(s, sequence, position / kPageTokens) + position % kPageTokens * kMlaCached,
                  latent + (sequence * s.isl + token) * kMlaCached, size_t(kMlaCached) * sizeof(T));
    }
  }
};

/// Operands of MlaContext: expanded keys and values, and a cache that is only written.
template <class T>
struct MlaContextMemory : DenseAttentionMemory<T> {
  explicit MlaContextMemory(std::span<void* const> operands)
      : DenseAttentionMemory<T>{static_cast<const T*>(operands[MlaContext::q_at]),
                                static_cast<const T*>(operands[MlaContext::k_at]),
                                static_cast<const T*>(operands[MlaContext::v_at]),
                                static_cast<T*>(operands[MlaContext::out_at])},
        cache{static_cast<T*>(operands[MlaContext::cache_at]),
              static_cast<const int32_t*>(operands[MlaContext::page_table_at]),
              static_cast<const T*>(operands[MlaContext::latent_at])} {}

  void write_new_tokens(const AttentionShape& s, int64_t sequence, int64_t kv_head) const {
    if (kv_head == 0) cache.write_new_tokens(s, sequence);
  }

  LatentCache<T> cache;
};

/// Operands of MlaGeneration: a cached row is the key, and its beginning the value.
template <class T>
struct MlaGenerationMemory {
  using Element = T;

  explicit MlaGenerationMemory(std::span<void* const> operands)
      : q(static_cast<const T*>(operands[MlaGeneration::q_at])),
        out(static_cast<T*>(operands[MlaGeneration::out_at])),
        cache{static_cast<T*>(operands[MlaGeneration::cache_at]),
              static_cast<const int32_t*>(operands[MlaGeneration::page_table_at]),
              static_cast<const T*>(operands[MlaGeneration::latent_at])} {}

  KvRows<T> keys(const AttentionShape& s, int64_t sequence, int64_t, int64_t page) const {
    return {cache.page(s, sequence, page), kMlaCached};
  }
  KvRows<T> values(const AttentionShape& s, int64_t sequence, int64_t kv_head, int64_t page) const {
    return keys(s, sequence, kv_head, page);
  }
  void write_new_tokens(const AttentionShape& s, int64_t sequence, int64_t) const {
    cache.write_new_tokens(s, sequence);
  }

  const T* q;
  T* out;
  LatentCache<T> cache;
};

/// Decode from library matmuls, the cache split between threads along the sequence (mla_cpu_split.cpp).
/// REQUIRES: isl 1; AVX-512, with its bf16 extension for bf16. Throws Error when oneDNN lacks a matmul.
std::unique_ptr<PreparedKernel> make_split_mla(const AttentionShape& shape, CpuDevice& device);

}  // namespace perfatlas
