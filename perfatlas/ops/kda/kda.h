// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "kda" op: the kernels between the projections of a Kimi Delta Attention layer, each a row
// of its own, told apart by the kernel_source column. Kimi Team, "Kimi Linear: An Expressive, Efficient Attention
// Architecture", 2025, equation 1: the gated delta rule with a decay of its own for every key channel,
//
//   S = diag(exp(g)) S;  S = S + k (beta * (v - S^T k))^T;  o = S^T q / sqrt(k_dim)       per head; S is k_dim x v_dim
//
// with queries and keys normalised to length one. No CPU library has these kernels yet.
#pragma once

#include "perfatlas/ops/mamba2/causal_conv.h"

namespace perfatlas {

/// context: whole prompts from an empty state. generation: one token per sequence. verify: seq draft tokens per
/// sequence after a state that stays, with the state after every one of them kept beside it.
enum class KdaPhase { context, generation, verify };

template <>
inline constexpr auto kEnumNames<KdaPhase> = std::array{
    EnumName<KdaPhase>{KdaPhase::context, "context"}, EnumName<KdaPhase>{KdaPhase::generation, "generation"},
    EnumName<KdaPhase>{KdaPhase::verify, "verify"}};

/// Sizes of one rank; as many value heads as key heads. The convolution runs over q, k and v: 3 * heads * dim channels.
struct Kda {
  Symbol kernel{"causal_conv1d_fn_qkv3"};
  KdaPhase phase = KdaPhase::context;
  int64_t batch = 1;
  int64_t seq = 1;
  int64_t tokens = 1;  // always batch * seq
  int64_t d_model = 7168;
  int64_t d_conv = 4;
  int64_t k_heads = 96;
  int64_t k_dim = 128;
  int64_t v_heads = 96;
  int64_t v_dim = 128;
  Symbol model{};
  bool operator==(const Kda&) const = default;

  static constexpr double kNormEpsilon = 1e-6;  // added to the sum of squares of a query or key

  static constexpr std::string_view kConvFn = "causal_conv1d_fn_qkv3";
  static constexpr std::string_view kChunkRule = "chunk_kda";
  static constexpr std::string_view kConvUpdate = "causal_conv1d_update";
  static constexpr std::string_view kDecode = "fused_recurrent_kda_packed_decode";
  static constexpr std::string_view kVerify = "fused_sigmoid_gating_delta_rule_update";
  static constexpr std::string_view kSubKernels[] = {kConvFn, kChunkRule, kConvUpdate, kDecode, kVerify};

  static constexpr OpInfo info{
      .id = "kda",
      .table = "kda_perf",
      .op_name = "kda",
      .doc =
          "Kernels of a Kimi Delta Attention layer between its projections: short convolution of q, k and v, "
          "and delta "
          "rule with a decay per key channel, of prompts, of single tokens and of drafts to verify.",
      .sol =
          "convolution: (2*tokens*C*bytes + C*d_conv*bytes) with C = 3*num_v_heads*head_v_dim; delta rule: "
          "(q + k + v "
          "+ g + beta + o bytes) / llc_bw + state bytes / memory_bw, state = "
          "batch_size*num_v_heads*head_k_dim*head_v_dim*4, written seq_len times in verify",
      .sub_kernels = kSubKernels,
      .sub_kernel_column = "kernel_source",
  };

  static int64_t get_batch(const Kda& op) { return op.batch; }
  static int64_t get_seq(const Kda& op) { return op.seq; }
  static void set_batch(Kda& op, int64_t batch) { op.tokens = (op.batch = batch) * op.seq; }
  static void set_seq(Kda& op, int64_t seq) { op.tokens = op.batch * (op.seq = seq); }

  static constexpr auto fields = std::tuple{
      field("kernel_source", &Kda::kernel, Role::exact,
            "causal_conv1d_fn_qkv3 or chunk_kda (context), causal_conv1d_update or "
            "fused_recurrent_kda_packed_decode "
            "(generation), fused_sigmoid_gating_delta_rule_update (verify); published tables have other "
            "names too")
          .flagged("sub_kernel"),
      field("phase", &Kda::phase, Role::exact, "prompts, single tokens or drafts"),
      field("batch_size", &Kda::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("seq_len", &Kda::seq, Role::axis, "new or draft tokens per sequence; 1 in generation")
          .flagged("seq"),
      field("num_tokens", &Kda::tokens, Role::recorded, "batch_size * seq_len").flagged("tokens"),
      field("d_model", &Kda::d_model, Role::exact, "hidden size of the model; the kernels do not see it"),
      field("d_conv", &Kda::d_conv, Role::exact, "width of the convolution"),
      field("num_k_heads", &Kda::k_heads, Role::exact, "query and key heads on this rank").flagged("k_heads"),
      field("head_k_dim", &Kda::k_dim, Role::exact, "elements per query and key").flagged("k_dim"),
      field("num_v_heads", &Kda::v_heads, Role::exact, "value heads on this rank; as many as num_k_heads")
          .flagged("v_heads"),
      field("head_v_dim", &Kda::v_dim, Role::exact, "elements per value").flagged("v_dim"),
      field("model_name", &Kda::model, Role::recorded, "whose shape it is").flagged("model"),
  };

  static constexpr auto axes = std::array{
      Axis<Kda>{"batch", &Kda::get_batch, &Kda::set_batch},
      Axis<Kda>{"seq", &Kda::get_seq, &Kda::set_seq},
  };

  static constexpr TableLayout layout = kLinearLayout;

  std::string_view why_invalid() const;
  /// Convolution: CausalConvShape. Delta rule: state and activations once, and the arithmetic of one step per token in
  /// fp32 where the phase goes token by token. A kernel_source that is not one of the five is charged like the delta
  /// rule of its phase.
  Work work() const;

  /// Convolution: see CausalConvShape, without bias. Delta rule: q and k[batch, seq, k_heads, k_dim] bf16, v[batch,
  /// seq, v_heads, v_dim] bf16, g[batch, seq, k_heads, k_dim] bf16 (at most 0), beta[batch, seq, v_heads] bf16 (0 to
  /// 1), state[batch, v_heads, k_dim, v_dim] f32 (only read in verify), in verify states[batch, seq, v_heads, k_dim,
  /// v_dim] f32, o[batch, seq, v_heads, v_dim] bf16. Empty for another kernel_source.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  CausalConvShape conv_shape() const;

  /// The sub-kernels of the models: kBatchLadder x kSequenceLadder in context, kBatchLadder in generation, kBatchLadder
  /// x {2, 4, 8} in verify.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Kda>& sink);
};
static_assert(Operation<Kda>);

}  // namespace perfatlas
