// SPDX-License-Identifier: Apache-2.0
// The whole definition of the op "encoder_attention": every token of a sequence sees every other, without a KV cache,
// as vision and audio encoders issue it. RoPE and norms are ops of their own. Sizes are those of one rank: local heads.
#pragma once

#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// out = softmax(q k^T / sqrt(head_dim)) v over whole sequences of `isl` tokens, multi-head.
struct EncoderAttention {
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t heads = 1;
  int64_t head_dim = 64;
  DType dtype = DType::bf16;
  bool operator==(const EncoderAttention&) const = default;

  static constexpr OpInfo info{
      .id = "encoder_attention",
      .table = "encoder_attention_perf",
      .op_name = "encoder_attention",
      .doc = "Attention of an encoder: no mask, no KV cache, as many key/value heads as query heads.",
      .sol =
          "max(4*batch_size*num_heads*head_dim*isl^2 / peak(attn_dtype), "
          "4*batch_size*isl*num_heads*head_dim*bytes / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("batch_size", &EncoderAttention::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("isl", &EncoderAttention::isl, Role::axis, "tokens (patches, frames) per sequence"),
      field("num_heads", &EncoderAttention::heads, Role::axis, "heads on this rank").flagged("heads"),
      field("head_dim", &EncoderAttention::head_dim, Role::exact, "elements per head"),
      field("attn_dtype", &EncoderAttention::dtype, Role::exact, "type of operands and products")
          .flagged("dtype"),
  };

  static constexpr auto axes = std::array{
      axis<&EncoderAttention::heads, EncoderAttention>("heads"),
      axis<&EncoderAttention::isl, EncoderAttention>("isl", Transform::sqrt),
      axis<&EncoderAttention::batch, EncoderAttention>("batch"),
  };

  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent: work grows with the square of isl but only linearly with batch; the square "
          "root of latency is nearly linear in isl",
  };

  /// Position of each operand in operands().
  enum At : size_t { q_at, k_at, v_at, out_at };

  AttentionShape shape() const;
  std::string_view why_invalid() const;
  Work work() const;
  /// q, k, v and out, each [batch*isl, heads, head_dim]; bf16 for 8-bit compute.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Heads, head size and types of the models x kBatchLadder x kSequenceLadder, within the token budget of the
  /// published grid.
  static void model_cases(const ModelShapes& shapes, const CaseSink<EncoderAttention>& sink);

  /// The published grid, the same for every framework and generation: 7,679 cases.
  static void aic_cases(const AicGrid& grid, const CaseSink<EncoderAttention>& sink);
};
static_assert(Operation<EncoderAttention>);

}  // namespace perfatlas
