// SPDX-License-Identifier: Apache-2.0
// The whole definition of the ops "mla_context" (prefill) and "mla_generation" (decode): the attention of multi-head
// latent attention, without its projections and RoPE, which are ops of their own. The cache holds per token one latent
// row of 512 elements and one rotated key of 64, shared by all heads (mla_geometry.h). Sizes are those of one rank.
#pragma once

#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/ops/mla/mla_geometry.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Prefill on keys and values that were expanded per head: `isl` new tokens per sequence attend to each other and to
/// `step` cached ones, whose expanded keys and values are given too; the latent rows of the new tokens enter the cache.
struct MlaContext {
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  int64_t heads = 128;
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t tp = 1;
  int64_t step = 0;
  bool operator==(const MlaContext&) const = default;

  static constexpr OpInfo info{
      .id = "mla_context",
      .table = "context_mla_perf",
      .op_name = "mla_context",
      .doc =
          "Causal multi-head attention with keys of 192 and values of 128 elements, expanded from latent "
          "rows; writes "
          "the latent cache.",
      .sol =
          "max(2*320*batch_size*num_heads*pairs / peak(mla_dtype), batch_size*isl*576*kv_bytes / memory_bw, "
          "(q + k + v + latent + out bytes) / llc_bw); pairs = sum over i < isl of step + i + 1",
  };

  static constexpr auto fields = std::tuple{
      field("mla_dtype", &MlaContext::dtype, Role::exact, "type of the products").flagged("dtype"),
      field("kv_cache_dtype", &MlaContext::kv_dtype, Role::exact, "stored type of the cache")
          .flagged("kv_dtype"),
      field("num_heads", &MlaContext::heads, Role::axis, "query heads on this rank").flagged("heads"),
      field("batch_size", &MlaContext::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("isl", &MlaContext::isl, Role::axis, "new tokens per sequence"),
      field("tp_size", &MlaContext::tp, Role::recorded, "ranks the heads of the model are split over")
          .flagged("tp"),
      field("step", &MlaContext::step, Role::axis, "tokens per sequence before the new ones"),
  };

  static constexpr auto axes = std::array{
      axis<&MlaContext::heads, MlaContext>("heads"),
      axis<&MlaContext::step, MlaContext>("step"),
      axis<&MlaContext::isl, MlaContext>("isl", Transform::sqrt),
      axis<&MlaContext::batch, MlaContext>("batch"),
  };

  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent: pairs grow with the square of isl but only linearly with batch; the square "
          "root of "
          "latency is nearly linear in isl",
  };

  /// Position of each operand in operands().
  enum At : size_t { q_at, k_at, v_at, latent_at, cache_at, page_table_at, out_at };

  AttentionShape shape() const;
  std::string_view why_invalid() const;
  Work work() const;
  /// q[batch*isl, heads, 192], k[batch*(step+isl), heads, 192], v[batch*(step+isl), heads, 128], latent[batch*isl, 576]
  /// (activations), latent_cache[pages, 64, 576] (kv, written, not read), page_table[batch, pages per sequence] as
  /// attention_operands() has it, out[batch*isl, heads, 128].
  Operands operands() const;
  /// Copies latent into the cache; out = softmax(q k^T / sqrt(192)) v in double precision.
  void reference(std::vector<HostOperand>& data) const;

  /// Heads and types of the models x kBatchLadder x kSequenceLadder, without prefix, up to 65536 tokens.
  static void model_cases(const ModelShapes& shapes, const CaseSink<MlaContext>& sink);

  /// The published grid: trtllm 1,760 cases, sglang 3,080 (none below sm 90), vllm has no such table.
  static void aic_cases(const AicGrid& grid, const CaseSink<MlaContext>& sink);
};
static_assert(Operation<MlaContext>);

/// Decode on the latent cache itself (absorbed: queries were multiplied by the key expansion, and the value expansion
/// follows): one new token per sequence attends to itself and to `step` cached ones. All heads share one key of 576
/// elements per token, whose first 512 are also its value.
struct MlaGeneration {
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  int64_t heads = 128;
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t tp = 1;
  int64_t step = 1;
  bool operator==(const MlaGeneration&) const = default;

  /// Context length: isl + step.
  static int64_t get_s(const MlaGeneration& op) { return op.isl + op.step; }
  static void set_s(MlaGeneration& op, int64_t s) { op.step = s - op.isl; }

  static constexpr OpInfo info{
      .id = "mla_generation",
      .table = "generation_mla_perf",
      .op_name = "mla_generation",
      .doc = "Absorbed latent attention of one new token per sequence to its paged latent cache.",
      .sol =
          "max(2*1088*batch_size*num_heads*(step + 1) / peak(mla_dtype), batch_size*(step + 1)*576*kv_bytes "
          "/ "
          "memory_bw, batch_size*(num_heads*1088 + 576)*bytes / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("mla_dtype", &MlaGeneration::dtype, Role::exact, "type of the products").flagged("dtype"),
      field("kv_cache_dtype", &MlaGeneration::kv_dtype, Role::exact, "stored type of the cache")
          .flagged("kv_dtype"),
      field("num_heads", &MlaGeneration::heads, Role::axis, "query heads on this rank").flagged("heads"),
      field("batch_size", &MlaGeneration::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("isl", &MlaGeneration::isl, Role::axis, "new tokens per sequence: always 1"),
      field("tp_size", &MlaGeneration::tp, Role::recorded, "ranks the heads of the model are split over")
          .flagged("tp"),
      field("step", &MlaGeneration::step, Role::axis, "tokens per sequence already in the cache"),
  };

  static constexpr auto axes = std::array{
      axis<&MlaGeneration::heads, MlaGeneration>("heads"),
      axis<&MlaGeneration::batch, MlaGeneration>("batch"),
      Axis<MlaGeneration>{"s", &MlaGeneration::get_s, &MlaGeneration::set_s},
  };

  static constexpr TableLayout layout{
      .clamp_to_sol = true,
      .why =
          "token-non-equivalent: a step reads batch*s latent rows but has only batch queries, and how a "
          "device shares "
          "the reading between sequences depends on both",
  };

  /// Position of each operand in operands().
  enum At : size_t { q_at, latent_at, cache_at, page_table_at, out_at };

  AttentionShape shape() const;
  std::string_view why_invalid() const;
  Work work() const;
  /// q[batch, heads, 576] (absorbed, then rotated), latent[batch, 576] of the new tokens (activations),
  /// latent_cache[pages, 64, 576] (kv, written), page_table[batch, pages per sequence] as attention_operands() has it,
  /// out[batch, heads, 512].
  Operands operands() const;
  /// Copies latent into the cache; out = softmax(q cache^T / sqrt(192)) cache[:, :512] in double precision.
  void reference(std::vector<HostOperand>& data) const;

  /// Heads and types of the models x kBatchLadder x kSequenceLadder, up to 16,777,216 cached tokens.
  static void model_cases(const ModelShapes& shapes, const CaseSink<MlaGeneration>& sink);

  /// The published grid: trtllm 2,896 cases, sglang 4,648 (none below sm 90), vllm has no such table.
  static void aic_cases(const AicGrid& grid, const CaseSink<MlaGeneration>& sink);
};
static_assert(Operation<MlaGeneration>);

}  // namespace perfatlas
