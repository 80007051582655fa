// SPDX-License-Identifier: Apache-2.0
// The short causal convolution before a linear attention recurrence: the sub-kernels causal_conv1d_fn and
// causal_conv1d_update of the ops mamba2, gdn and kda.
//
//   out[t, c] = silu(bias[c] + sum over i < width of w[c, i] * x[t - width + 1 + i, c]),  silu(y) = y / (1 + exp(-y))
//
// Depthwise, i.e. one filter per channel (Dao and Gu, "Transformers are SSMs", 2024, section 8; Yang, Kautz and
// Hatamizadeh, "Gated Delta Networks", 2024, section 3.4). The state holds the last width - 1 inputs, oldest first.
#pragma once

#include "perfatlas/ops/mamba2/linear_phase.h"

namespace perfatlas {

/// context: x before the first token counts as zero, the state is only written. generation: one token per sequence
/// (seq 1); the inputs before it come from the state, which then moves on by one token.
struct CausalConvShape {
  LinearPhase phase = LinearPhase::context;
  int64_t batch = 1;
  int64_t seq = 1;
  int64_t channels = 1;
  int64_t width = 4;
  bool bias = false;

  int64_t tokens() const { return batch * seq; }
};

/// Operands in this order; bias_at only exists with a bias, later ones then move up by one.
/// x[batch, seq, channels] bf16, w[channels, width] bf16, bias[channels] bf16, conv_state[batch, width - 1, channels]
/// bf16, out[batch, seq, channels] bf16.
Operands causal_conv_operands(const CausalConvShape& shape);

/// Every input, weight and output once; the state as often as the phase needs it. Arithmetic in fp32.
Work causal_conv_work(const CausalConvShape& shape);

void causal_conv_reference(const CausalConvShape& shape, std::vector<HostOperand>& data);

}  // namespace perfatlas
