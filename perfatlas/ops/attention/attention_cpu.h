// SPDX-License-Identifier: Apache-2.0
// What the CPU kernels of attention share: element types, the paged cache as raw memory, kernel makers.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// bfloat16 as stored.
struct Bf16 {
  uint16_t bits;
};

inline float to_float(float value) { return value; }
inline float to_float(Bf16 value) { return std::bit_cast<float>(uint32_t(value.bits) << 16); }

/// Rounds to nearest even. REQUIRES: not a NaN.
template <class T>
T from_float(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    const auto bits = std::bit_cast<uint32_t>(value);
    return {uint16_t((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
  }
}

/// The operands of one launch, typed.
template <class T>
struct AttentionMemory {
  explicit AttentionMemory(std::span<void* const> operands)
      : q(static_cast<const T*>(operands[q_at])),
        k(static_cast<const T*>(operands[k_at])),
        v(static_cast<const T*>(operands[v_at])),
        k_cache(static_cast<T*>(operands[k_cache_at])),
        v_cache(static_cast<T*>(operands[v_cache_at])),
        page_table(static_cast<const int32_t*>(operands[page_table_at])),
        out(static_cast<T*>(operands[out_at])) {}

  const T *q, *k, *v;
  T *k_cache, *v_cache;
  const int32_t* page_table;
  T* out;
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

/// Why no CPU kernel here computes with these types, or empty.
std::string why_no_cpu_types(const AttentionShape& shape);

/// oneDNN matmuls on packed keys and values with an online softmax between them. REQUIRES: AVX-512, with its bf16
/// extension for bf16.
std::unique_ptr<PreparedKernel> make_blocked_attention(const AttentionShape& shape, CpuDevice& device);

/// One pass over the cache with AVX-512, split between threads along the sequence. REQUIRES: isl 1; AVX-512, with its
/// bf16 extension for bf16; head_dim a multiple of 16 up to 256.
std::unique_ptr<PreparedKernel> make_streaming_attention(const AttentionShape& shape, CpuDevice& device);

/// The same in AMX tiles. REQUIRES: isl 1; bf16; AMX and AVX-512 with bf16; head_dim a multiple of 32 up to 256.
std::unique_ptr<PreparedKernel> make_tiled_streaming_attention(const AttentionShape& shape,
                                                               CpuDevice& device);

/// Plain loops for any CPU.
std::unique_ptr<PreparedKernel> make_portable_attention(const AttentionShape& shape, CpuDevice& device);

}  // namespace perfatlas
