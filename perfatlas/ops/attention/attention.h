// SPDX-License-Identifier: Apache-2.0
// The whole definition of the ops "attention_context" (prefill) and "attention_generation" (decode): causal
// multi-head or grouped-query attention over a paged KV cache that the op writes and reads. RoPE and norms are ops of
// their own. Sizes are those of one rank: local heads.
#pragma once

#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/schema/model_shapes.h"
#include "perfatlas/schema/resemblance.h"

namespace perfatlas {

/// Types and window apart, key/value heads and head size tell slices from each other.
inline constexpr std::string_view kAttentionSlices[] = {"num_key_value_heads", "head_dim"};
inline constexpr Resemblance kAttentionResemblance{
    .shape = kAttentionSlices, .layer = kAttentionSlices, .rule = {.nearest = 3, .softening = 0.1}};
/// Head size, and key/value heads: multi-head attention counts as 32, and is 2 in squared distance from grouped.
Likeness attention_likeness(const AttentionShape& shape);

/// `isl` new tokens per sequence attend to each other and to `step` cached ones (see AttentionShape).
struct AttentionContext {
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_dim = 128;
  int64_t window = 0;
  int64_t beams = 1;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  int64_t step = 0;
  bool operator==(const AttentionContext&) const = default;

  /// Published tables file multi-head attention under 0, so that its rows of all head counts share a slice.
  int64_t kv_key() const { return kv_heads == heads ? 0 : kv_heads; }
  static int64_t get_heads(const AttentionContext& op) { return op.heads; }
  /// Multi-head attention stays multi-head: its kv heads follow.
  static void set_heads(AttentionContext& op, int64_t heads);

  static constexpr OpInfo info{
      .id = "attention_context",
      .table = "context_attention_perf",
      .op_name = "context_attention",
      .doc =
          "Causal attention of new tokens, which are written to the paged KV cache, and of a cached prefix.",
      .sol =
          "max(4*batch_size*num_heads*head_dim*pairs / peak(attn_dtype), (prefix + isl)*kv_bytes / "
          "memory_bw, "
          "(q + k + v + out bytes) / llc_bw); pairs = sum over i < isl of min(step + i + 1, window)",
  };

  static constexpr auto fields = std::tuple{
      field("batch_size", &AttentionContext::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("isl", &AttentionContext::isl, Role::axis, "new tokens per sequence"),
      field("num_heads", &AttentionContext::heads, Role::axis, "query heads on this rank").flagged("heads"),
      field("num_key_value_heads", &AttentionContext::kv_heads, Role::exact,
            "key/value heads on this rank; divides the query heads")
          .keyed_by(&AttentionContext::kv_key)
          .flagged("kv_heads"),
      field("head_dim", &AttentionContext::head_dim, Role::exact, "elements per head"),
      field("window_size", &AttentionContext::window, Role::exact,
            "positions a token sees, its own included; 0: all")
          .absent_is(0)
          .flagged("window"),
      field("beam_width", &AttentionContext::beams, Role::recorded, "always 1"),
      field("attn_dtype", &AttentionContext::dtype, Role::exact, "type of the products").flagged("dtype"),
      field("kv_cache_dtype", &AttentionContext::kv_dtype, Role::exact, "stored type of the cache")
          .flagged("kv_dtype"),
      field("step", &AttentionContext::step, Role::axis, "tokens per sequence already in the cache"),
  };

  static constexpr auto axes = std::array{
      Axis<AttentionContext>{"heads", &AttentionContext::get_heads, &AttentionContext::set_heads},
      axis<&AttentionContext::step, AttentionContext>("step"),
      axis<&AttentionContext::isl, AttentionContext>("isl", Transform::sqrt),
      axis<&AttentionContext::batch, AttentionContext>("batch"),
  };

  static constexpr TableLayout layout{
      .merge = {.by_kernel = true},  // a kernel is a lane of its own
      .why =
          "token-non-equivalent: pairs grow with the square of isl but only linearly with batch, so that "
          "batch*isl does not fix the work; the square root of latency is nearly linear in isl",
  };

  static constexpr Resemblance resemblance = kAttentionResemblance;
  Likeness likeness() const { return attention_likeness(shape()); }
  AttentionShape shape() const;
  std::string_view why_invalid() const;
  Work work() const { return attention_work(shape()); }
  Operands operands() const { return attention_operands(shape()); }
  void reference(std::vector<HostOperand>& data) const { attention_reference(shape(), data); }

  /// Heads, head size, window and types of the models x kBatchLadder x kSequenceLadder, without prefix, within the
  /// token budget of the published grid.
  static void model_cases(const ModelShapes& shapes, const CaseSink<AttentionContext>& sink);

  /// The published grid: trtllm 50,643 cases below sm 100, 47,430 from there on; sglang 16,881; vllm 10,914, of which
  /// 816 name a case twice (multi-head attention, also listed among the groups).
  static void aic_cases(const AicGrid& grid, const CaseSink<AttentionContext>& sink);
};
static_assert(Operation<AttentionContext>);

/// One new token per sequence attends to itself and to `step` cached ones (see AttentionShape).
struct AttentionGeneration {
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_dim = 128;
  int64_t window = 0;
  int64_t beams = 1;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  int64_t step = 1;
  bool operator==(const AttentionGeneration&) const = default;

  /// As AttentionContext::kv_key.
  int64_t kv_key() const { return kv_heads == heads ? 0 : kv_heads; }
  static int64_t get_heads(const AttentionGeneration& op) { return op.heads; }
  /// As AttentionContext::set_heads.
  static void set_heads(AttentionGeneration& op, int64_t heads);
  /// Context length: isl + step.
  static int64_t get_s(const AttentionGeneration& op) { return op.isl + op.step; }
  static void set_s(AttentionGeneration& op, int64_t s) { op.step = s - op.isl; }

  static constexpr OpInfo info{
      .id = "attention_generation",
      .table = "generation_attention_perf",
      .op_name = "generation_attention",
      .doc = "Attention of one new token per sequence to its whole paged KV cache.",
      .sol =
          "max(4*batch_size*num_heads*head_dim*min(step + 1, window) / peak(attn_dtype), "
          "batch_size*(min(step, window - 1) + 1)*kv_bytes / memory_bw, (q + k + v + out bytes) / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("batch_size", &AttentionGeneration::batch, Role::axis, "sequences of equal length")
          .flagged("batch"),
      field("isl", &AttentionGeneration::isl, Role::axis, "new tokens per sequence: always 1"),
      field("num_heads", &AttentionGeneration::heads, Role::axis, "query heads on this rank")
          .flagged("heads"),
      field("num_key_value_heads", &AttentionGeneration::kv_heads, Role::exact,
            "key/value heads on this rank; divides the query heads")
          .keyed_by(&AttentionGeneration::kv_key)
          .flagged("kv_heads"),
      field("head_dim", &AttentionGeneration::head_dim, Role::exact, "elements per head"),
      field("window_size", &AttentionGeneration::window, Role::exact,
            "positions a token sees, its own included; 0: all")
          .absent_is(0)
          .flagged("window"),
      field("beam_width", &AttentionGeneration::beams, Role::recorded, "always 1"),
      field("attn_dtype", &AttentionGeneration::dtype, Role::exact, "type of the products").flagged("dtype"),
      field("kv_cache_dtype", &AttentionGeneration::kv_dtype, Role::exact, "stored type of the cache")
          .flagged("kv_dtype"),
      field("step", &AttentionGeneration::step, Role::axis, "tokens per sequence already in the cache"),
  };

  static constexpr auto axes = std::array{
      Axis<AttentionGeneration>{"heads", &AttentionGeneration::get_heads, &AttentionGeneration::set_heads},
      axis<&AttentionGeneration::batch, AttentionGeneration>("batch"),
      Axis<AttentionGeneration>{"s", &AttentionGeneration::get_s, &AttentionGeneration::set_s},
  };

  static constexpr TableLayout layout{
      .clamp_to_sol = true,
      .merge = {.by_kernel = true},  // a kernel is a lane of its own
      .why =
          "token-non-equivalent: a step reads batch*s tokens of KV cache but has only batch queries, and how "
          "a "
          "device shares the reading between sequences depends on both",
  };

  static constexpr Resemblance resemblance = kAttentionResemblance;
  Likeness likeness() const { return attention_likeness(shape()); }
  AttentionShape shape() const;
  std::string_view why_invalid() const;
  Work work() const { return attention_work(shape()); }
  Operands operands() const { return attention_operands(shape()); }
  void reference(std::vector<HostOperand>& data) const { attention_reference(shape(), data); }

  /// Heads, head size, window and types of the models x kBatchLadder x kSequenceLadder, within the token budget of
  /// the published grid.
  static void model_cases(const ModelShapes& shapes, const CaseSink<AttentionGeneration>& sink);

  /// The published grid: trtllm 30,114 cases below sm 100, 29,346 from there on; sglang 10,186; vllm 10,870 and 8,774.
  static void aic_cases(const AicGrid& grid, const CaseSink<AttentionGeneration>& sink);
};
static_assert(Operation<AttentionGeneration>);

}  // namespace perfatlas
