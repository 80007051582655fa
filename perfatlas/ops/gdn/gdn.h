// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "gdn" op: the kernels between the projections of a gated delta network layer, each a row
// of its own, told apart by the kernel_source column. Yang, Kautz and Hatamizadeh, "Gated Delta Networks: Improving
// Mamba2 with Delta Rule", 2024, equation 10, with queries and keys normalised to length one:
//
//   S = exp(g) * S;  S = S + k (beta * (v - S^T k))^T;  o = S^T q / sqrt(k_dim)       per value head; S: k_dim x v_dim
#pragma once

#include "perfatlas/ops/mamba2/causal_conv.h"

namespace perfatlas {

/// Sizes of one rank. Value head h works with query and key head h * k_heads / v_heads. The convolution runs over q, k
/// and v together: 2*k_heads*k_dim + v_heads*v_dim channels, without bias.
struct Gdn {
  Symbol kernel{"causal_conv1d_fn"};
  LinearPhase phase = LinearPhase::context;
  int64_t batch = 1;
  int64_t seq = 1;
  int64_t tokens = 1;  // always batch * seq
  int64_t d_model = 4096;
  int64_t d_conv = 4;
  int64_t k_heads = 16;
  int64_t k_dim = 128;
  int64_t v_heads = 32;
  int64_t v_dim = 128;
  Symbol model{};
  bool operator==(const Gdn&) const = default;

  static constexpr int64_t kChunk = 64;         // tokens per chunk of the chunked algorithm
  static constexpr double kNormEpsilon = 1e-6;  // added to the sum of squares of a query or key

  static constexpr std::string_view kConvFn = "causal_conv1d_fn";
  static constexpr std::string_view kConvUpdate = "causal_conv1d_update";
  static constexpr std::string_view kChunkRule = "chunk_gated_delta_rule";
  static constexpr std::string_view kRecurrentRule = "fused_recurrent_gated_delta_rule";
  static constexpr std::string_view kSubKernels[] = {kConvFn, kChunkRule, kConvUpdate, kRecurrentRule};

  static constexpr OpInfo info{
      .id = "gdn",
      .table = "gdn_perf",
      .op_name = "gdn",
      .doc =
          "Kernels of a gated delta network layer between its projections: short convolution and gated delta "
          "rule, of "
          "prompts and of single tokens; bf16 activations, fp32 recurrent state.",
      .sol =
          "convolution: (2*tokens*C*bytes + C*d_conv*bytes) with C = 2*num_k_heads*head_k_dim + "
          "num_v_heads*head_v_dim; delta rule: max(6*tokens*num_v_heads*head_k_dim*head_v_dim + chunk "
          "products / "
          "peak(bfloat16 or float32), (q + k + v + g + beta + o bytes) / llc_bw + "
          "batch_size*num_v_heads*head_k_dim*head_v_dim*4 / memory_bw)",
      .sub_kernels = kSubKernels,
      .sub_kernel_column = "kernel_source",
  };

  static int64_t get_batch(const Gdn& op) { return op.batch; }
  static int64_t get_seq(const Gdn& op) { return op.seq; }
  static void set_batch(Gdn& op, int64_t batch) { op.tokens = (op.batch = batch) * op.seq; }
  static void set_seq(Gdn& op, int64_t seq) { op.tokens = op.batch * (op.seq = seq); }

  static constexpr auto fields = std::tuple{
      field("kernel_source", &Gdn::kernel, Role::exact,
            "causal_conv1d_fn or chunk_gated_delta_rule (context), causal_conv1d_update or "
            "fused_recurrent_gated_delta_rule (generation); published tables have other names too")
          .flagged("sub_kernel"),
      field("phase", &Gdn::phase, Role::exact, "prompts or single tokens"),
      field("batch_size", &Gdn::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("seq_len", &Gdn::seq, Role::axis, "new tokens per sequence; 1 in generation").flagged("seq"),
      field("num_tokens", &Gdn::tokens, Role::recorded, "batch_size * seq_len").flagged("tokens"),
      field("d_model", &Gdn::d_model, Role::exact, "hidden size of the model; the kernels do not see it"),
      field("d_conv", &Gdn::d_conv, Role::exact, "width of the convolution"),
      field("num_k_heads", &Gdn::k_heads, Role::exact, "query and key heads on this rank").flagged("k_heads"),
      field("head_k_dim", &Gdn::k_dim, Role::exact, "elements per query and key").flagged("k_dim"),
      field("num_v_heads", &Gdn::v_heads, Role::exact, "value heads on this rank; a multiple of num_k_heads")
          .flagged("v_heads"),
      field("head_v_dim", &Gdn::v_dim, Role::exact, "elements per value").flagged("v_dim"),
      field("model_name", &Gdn::model, Role::recorded, "whose shape it is").flagged("model"),
  };

  static constexpr auto axes = std::array{
      Axis<Gdn>{"batch", &Gdn::get_batch, &Gdn::set_batch},
      Axis<Gdn>{"seq", &Gdn::get_seq, &Gdn::set_seq},
  };

  static constexpr TableLayout layout = kLinearLayout;

  std::string_view why_invalid() const;
  /// Convolution: CausalConvShape. Delta rule: state and activations once; arithmetic of the algorithm with chunks of
  /// kChunk tokens (products within a chunk counted for its causal half, in bf16) or of one step (fp32). Another
  /// kernel_source of published tables is charged like the one of its phase.
  Work work() const;

  /// Convolution: see CausalConvShape. Delta rule: q and k[batch, seq, k_heads, k_dim] bf16, v[batch, seq, v_heads,
  /// v_dim] bf16, g[batch, seq, v_heads] f32 (at most 0), beta[batch, seq, v_heads] bf16 (0 to 1), state[batch,
  /// v_heads, k_dim, v_dim] f32, o[batch, seq, v_heads, v_dim] bf16. Empty for another kernel_source.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  CausalConvShape conv_shape() const;

  /// The sub-kernels of the models: kBatchLadder x kSequenceLadder in context, kBatchLadder in generation.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Gdn>& sink);

  /// The published sweep: eight models, heads divided over 1, 2, 4 and 8 ranks, and over 16 too for those whose
  /// attention is published for 16 ranks: 37 shapes x (7 x 16 prompts + 11 batches) x 2 sub-kernels = 9,102 rows in 74
  /// sweeps of one shape and phase, for every framework.
  static void aic_cases(const AicGrid& grid, const CaseSink<Gdn>& sink);
};
static_assert(Operation<Gdn>);

}  // namespace perfatlas
