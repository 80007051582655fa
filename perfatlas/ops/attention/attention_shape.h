// SPDX-License-Identifier: Apache-2.0
// What the attention ops have in common: which tokens see which, the operands of a paged cache, the work and the naive
// result. Encoder attention and multi-head latent attention are described by the same shape with other operands.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "perfatlas/schema/operand.h"
#include "perfatlas/schema/work.h"

namespace perfatlas {

/// Tokens per page of the KV cache.
inline constexpr int64_t kPageTokens = 64;

/// One attention launch over `batch` sequences of equal length. Each sequence has `step` tokens in the paged
/// KV cache and brings `isl` new ones, whose keys and values are written to the cache. The new token number i (from 0)
/// has position step + i and sees the positions up to its own (all positions when not causal); with a window, only the
/// last `window` of these, its own included. Query head h reads key/value head h / group().
struct AttentionShape {
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t step = 0;
  int64_t heads = 1;
  int64_t kv_heads = 1;    // divides heads
  int64_t head_dim = 128;  // elements of a query and of a key
  int64_t value_dim = 0;   // of a value and of a result row; 0: head_dim
  int64_t score_dim = 0;   // scores are divided by its square root; 0: head_dim
  int64_t window = 0;      // 0: none; REQUIRES: causal when not 0
  bool causal = true;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;

  int64_t group() const { return heads / kv_heads; }
  int64_t context_tokens() const { return step + isl; }
  int64_t pages_per_sequence() const { return (context_tokens() + kPageTokens - 1) / kPageTokens; }
  int64_t value_width() const { return value_dim > 0 ? value_dim : head_dim; }
  double score_scale() const { return 1 / std::sqrt(double(score_dim > 0 ? score_dim : head_dim)); }
  /// The first position that the token at `position` sees.
  int64_t first_visible(int64_t position) const {
    return window > 0 && position >= window ? position - window + 1 : 0;
  }
  /// One past the last position that it sees.
  int64_t last_visible(int64_t position) const { return causal ? position + 1 : context_tokens(); }
  /// (query, key) pairs of one head of one sequence: sum over the new tokens of the positions they see.
  double pairs() const;
  /// Tokens of the prefix that at least one new token sees: what must be read from the cache.
  int64_t prefix_read() const;
};

/// `compute`, or bf16 for 8-bit computation: types below 16 bits are made from 16-bit activations when they enter the
/// cache or the product.
DType activation_type(DType compute);

/// Position of each operand in attention_operands().
enum AttentionOperand : size_t { q_at, k_at, v_at, k_cache_at, v_cache_at, page_table_at, out_at };

/// Empty when the shape makes sense somewhere.
std::string_view why_invalid_attention(const AttentionShape& shape);

/// flops = 2 * (head_dim + value_dim) * heads * pairs per sequence (a multiply-add for scores and one for the weighted
/// sum; the exponentials are not counted). Read from the cache: prefix_read() tokens. Written to it: the new tokens.
Work attention_work(const AttentionShape& shape);

/// q[batch*isl, heads, head_dim], k and v[batch*isl, kv_heads, head_dim] (activations; bf16 for 8-bit compute),
/// k_cache and v_cache[pages, kv_heads, 64, head_dim] (kv, written), page_table[batch, pages_per_sequence] int32:
/// page p of a sequence holds its positions 64*p .. 64*p+63, out[batch*isl, heads, head_dim].
Operands attention_operands(const AttentionShape& shape);

/// Writes the new tokens into the cache and computes out = softmax(q k^T / sqrt(head_dim)) v in double precision.
void attention_reference(const AttentionShape& shape, std::vector<HostOperand>& data);

/// Where the reference finds the key or value of one position and key/value head: its first element.
using AttentionRow = std::function<const float*(int64_t sequence, int64_t position, int64_t kv_head)>;

/// out[batch*isl, heads, value_dim] = softmax(q k^T * score_scale()) v in double precision, wherever keys and values
/// lie. REQUIRES: q[batch*isl, heads, head_dim].
void attention_rows_reference(const AttentionShape& shape, std::span<const float> q, const AttentionRow& key,
                              const AttentionRow& value, std::span<float> out);

/// Why dtypes of attention make no sense, or empty: `dtype` in 16 bits or more or fp8, `kv_dtype` also int8 and q8_0.
std::string_view why_invalid_attention_types(DType dtype, DType kv_dtype);

}  // namespace perfatlas
