// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "kv_cache_write" op: what puts new keys and values, or the new latent of MLA, into the
// paged cache where attention is not fused with it. Pages are those of ops/attention.
#pragma once

#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// The new token number i of each sequence goes to position step + i of its pages, converted to the cache's type with
/// unit scale.
///   rope_dim = 0  keys and values, two caches of `kv_heads` heads of `head_dim`.
///   rope_dim > 0  MLA: one cache of one head of `head_dim` (576), whose last `rope_dim` elements (64) are the rotated
///                 part of the key and whose first ones are the latent.
struct KvCacheWrite {
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t kv_heads = 1;
  int64_t head_dim = 128;
  int64_t rope_dim = 0;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  int64_t step = 0;
  bool operator==(const KvCacheWrite&) const = default;

  /// Token-equivalence: tokens = batch * isl.
  static int64_t get_tokens(const KvCacheWrite& op) { return op.batch * op.isl; }
  static void set_tokens(KvCacheWrite& op, int64_t tokens) { op.batch = 1, op.isl = tokens; }

  static constexpr OpInfo info{
      .id = "kv_cache_write",
      .table = "kv_cache_write_perf",
      .op_name = "kv_cache_write",
      .doc = "Copies the keys and values (or the MLA latent) of new tokens into the paged KV cache.",
      .sol =
          "max(batch_size*isl*elements*kv_bytes / memory_bw, batch_size*isl*elements*bytes / llc_bw); "
          "elements = "
          "2*num_key_value_heads*head_dim, or head_dim for MLA",
  };

  static constexpr auto fields = std::tuple{
      field("batch_size", &KvCacheWrite::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("isl", &KvCacheWrite::isl, Role::axis, "new tokens per sequence"),
      field("num_key_value_heads", &KvCacheWrite::kv_heads, Role::exact,
            "key/value heads on this rank; MLA: 1")
          .flagged("kv_heads"),
      field("head_dim", &KvCacheWrite::head_dim, Role::exact, "elements per head of a cache"),
      field("rope_dim", &KvCacheWrite::rope_dim, Role::exact,
            "0: key and value caches; else one latent cache whose last elements are this many rotated ones"),
      field("dtype", &KvCacheWrite::dtype, Role::exact, "type of the new tokens"),
      field("kv_cache_dtype", &KvCacheWrite::kv_dtype, Role::exact, "stored type of the cache")
          .flagged("kv_dtype"),
      field("step", &KvCacheWrite::step, Role::recorded, "tokens per sequence already in the cache"),
  };

  static constexpr auto axes = std::array{
      Axis<KvCacheWrite>{"tokens", &KvCacheWrite::get_tokens, &KvCacheWrite::set_tokens},
  };

  static constexpr TableLayout layout{
      .why =
          "token-equivalent: every token is copied once to a place of its own, so that batch and isl count "
          "only "
          "through their product; the cached tokens are not touched",
  };

  /// The pages: batch, isl, step, heads and types as attention sees them.
  AttentionShape shape() const;
  bool latent() const { return rope_dim > 0; }

  std::string_view why_invalid() const;
  Work work() const;

  /// rope_dim = 0: k and v[batch*isl, kv_heads, head_dim] activations, k_cache and v_cache[pages, kv_heads, 64,
  /// head_dim] (kv, written), page_table[batch, pages_per_sequence] int32 as in attention_operands().
  /// rope_dim > 0: latent[batch*isl, head_dim - rope_dim] and k_rope[batch*isl, rope_dim] activations, cache[pages, 64,
  /// head_dim] (kv, written), page_table.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Heads, sizes and types of the models at every rung of the token ladder, as one sequence (a context step), and of
  /// the batch ladder with one token each after kDecodeStep cached ones (a generation step).
  static constexpr int64_t kDecodeStep = 1024;
  static void model_cases(const ModelShapes& shapes, const CaseSink<KvCacheWrite>& sink);
};
static_assert(Operation<KvCacheWrite>);

}  // namespace perfatlas
