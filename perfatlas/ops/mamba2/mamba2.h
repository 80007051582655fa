// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "mamba2" op: the four kernels between the projections of a Mamba-2 mixer, each a row of
// its own, told apart by the kernel_source column. Dao and Gu, "Transformers are SSMs: Generalized models and
// efficient algorithms through structured state space duality", 2024.
//
//   dt = softplus(dt_raw + dt_bias), A = -exp(A_log) of the checkpoint, which engines compute when they load it
//   state[p, n] = exp(dt * A) * state[p, n] + dt * x[p] * B[n]          per head; p < head_dim, n < d_state
//   y[p]        = sum over n of C[n] * state[p, n] + D * x[p]
#pragma once

#include "perfatlas/ops/mamba2/causal_conv.h"

namespace perfatlas {

/// Sizes of one rank. The convolution runs over x, B and C together: heads*head_dim + 2*groups*d_state channels.
struct Mamba2 {
  Symbol kernel{"causal_conv1d_fn"};
  LinearPhase phase = LinearPhase::context;
  int64_t batch = 1;
  int64_t seq = 1;
  int64_t tokens = 1;  // always batch * seq
  int64_t d_model = 4096;
  int64_t d_state = 128;
  int64_t d_conv = 4;
  int64_t heads = 128;
  int64_t head_dim = 64;
  int64_t groups = 8;
  int64_t chunk = 128;
  Symbol model{};
  bool operator==(const Mamba2&) const = default;

  static constexpr std::string_view kConvFn = "causal_conv1d_fn";
  static constexpr std::string_view kChunkScan = "mamba_chunk_scan_combined";
  static constexpr std::string_view kConvUpdate = "causal_conv1d_update";
  static constexpr std::string_view kStateUpdate = "selective_state_update";
  static constexpr std::string_view kSubKernels[] = {kConvFn, kChunkScan, kConvUpdate, kStateUpdate};

  static constexpr OpInfo info{
      .id = "mamba2",
      .table = "mamba2_perf",
      .op_name = "mamba2",
      .doc =
          "Kernels of a Mamba-2 mixer between its projections: short convolution and state space recurrence, "
          "of "
          "prompts and of single tokens; bf16 activations, fp32 recurrent state.",
      .sol =
          "convolution: (2*tokens*C*bytes + C*(d_conv + 1)*bytes) with C = nheads*head_dim + "
          "2*n_groups*d_state; "
          "recurrence: max(4*tokens*nheads*head_dim*d_state + chunk products / peak(bfloat16 or float32), (x "
          "+ dt + B "
          "+ C + y bytes) / llc_bw + batch_size*nheads*head_dim*d_state*4 / memory_bw)",
      .sub_kernels = kSubKernels,
      .sub_kernel_column = "kernel_source",
  };

  static int64_t get_batch(const Mamba2& op) { return op.batch; }
  static int64_t get_seq(const Mamba2& op) { return op.seq; }
  static void set_batch(Mamba2& op, int64_t batch) { op.tokens = (op.batch = batch) * op.seq; }
  static void set_seq(Mamba2& op, int64_t seq) { op.tokens = op.batch * (op.seq = seq); }

  static constexpr auto fields = std::tuple{
      field("kernel_source", &Mamba2::kernel, Role::exact,
            "causal_conv1d_fn or mamba_chunk_scan_combined (context), causal_conv1d_update or "
            "selective_state_update (generation)")
          .flagged("sub_kernel"),
      field("phase", &Mamba2::phase, Role::exact, "prompts or single tokens"),
      field("batch_size", &Mamba2::batch, Role::axis, "sequences of equal length").flagged("batch"),
      field("seq_len", &Mamba2::seq, Role::axis, "new tokens per sequence; 1 in generation").flagged("seq"),
      field("num_tokens", &Mamba2::tokens, Role::recorded, "batch_size * seq_len").flagged("tokens"),
      field("d_model", &Mamba2::d_model, Role::exact, "hidden size of the model; the kernels do not see it"),
      field("d_state", &Mamba2::d_state, Role::exact, "state elements per channel"),
      field("d_conv", &Mamba2::d_conv, Role::exact, "width of the convolution"),
      field("nheads", &Mamba2::heads, Role::exact, "heads on this rank").flagged("heads"),
      field("head_dim", &Mamba2::head_dim, Role::exact, "channels per head"),
      field("n_groups", &Mamba2::groups, Role::exact, "groups of heads that share B and C; divides nheads")
          .flagged("groups"),
      field("chunk_size", &Mamba2::chunk, Role::exact, "tokens per chunk of the scan").flagged("chunk"),
      field("model_name", &Mamba2::model, Role::recorded, "whose shape it is").flagged("model"),
  };

  static constexpr auto axes = std::array{
      Axis<Mamba2>{"batch", &Mamba2::get_batch, &Mamba2::set_batch},
      Axis<Mamba2>{"seq", &Mamba2::get_seq, &Mamba2::set_seq},
  };

  static constexpr TableLayout layout = kLinearLayout;

  std::string_view why_invalid() const;
  /// Convolution: CausalConvShape. Recurrence: state and activations once; arithmetic of the chunked algorithm
  /// (products within a chunk counted for its causal half, in bf16) or of one step (fp32). A kernel_source that is not
  /// one of the four is charged d_model elements in and out per token.
  Work work() const;

  /// Convolution: see CausalConvShape, with bias. Recurrence: x[batch, seq, heads, head_dim] bf16, dt[batch, seq,
  /// heads] bf16, a[heads] f32 below 0, b and c[batch, seq, groups, d_state] bf16, d[heads] f32, dt_bias[heads] f32,
  /// state[batch, heads, head_dim, d_state] f32, y[batch, seq, heads, head_dim] bf16. Empty for another kernel_source.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  CausalConvShape conv_shape() const;

  /// The sub-kernels of the models: kBatchLadder x kSequenceLadder in context, kBatchLadder in generation.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Mamba2>& sink);

  /// The published sweep of the TensorRT-LLM collector: 4 shapes x (7 x 16 prompts + 11 batches) x 2 sub-kernels = 984
  /// rows in 8 sweeps of one shape and phase. Other frameworks have none.
  static void aic_cases(const AicGrid& grid, const CaseSink<Mamba2>& sink);
};
static_assert(Operation<Mamba2>);

}  // namespace perfatlas
