// SPDX-License-Identifier: Apache-2.0
// The causal convolution of mamba2 and gdn as a plain kernel.
#pragma once

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/ops/mamba2/causal_conv.h"

namespace perfatlas {

/// One block per token. In context the block of the last token also writes the state, which nothing reads; in
/// generation there is one token per sequence, whose channel is read and moved on by one thread.
struct CausalConvTokens {
  int64_t batch = 0, seq = 0, channels = 0, width = 0;
  bool with_bias = false, from_state = false;
  const CudaBf16* x = nullptr;
  const CudaBf16* w = nullptr;
  const CudaBf16* bias = nullptr;
  CudaBf16* state = nullptr;
  CudaBf16* out = nullptr;

  explicit CausalConvTokens(const CausalConvShape& s)
      : batch(s.batch),
        seq(s.seq),
        channels(s.channels),
        width(s.width),
        with_bias(s.bias),
        from_state(s.phase == LinearPhase::generation) {}

  void bind(std::span<void* const> operands, void*) {
    x = static_cast<const CudaBf16*>(operands[0]);
    w = static_cast<const CudaBf16*>(operands[1]);
    if (with_bias) bias = static_cast<const CudaBf16*>(operands[2]);
    state = static_cast<CudaBf16*>(operands[with_bias ? 3 : 2]);
    out = static_cast<CudaBf16*>(operands[with_bias ? 4 : 3]);
  }
  int64_t blocks() const { return batch * seq; }
  int64_t shared_floats() const { return 0; }

  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t token = block.index(), at = token % seq, cached = width - 1;
    const CausalConvTokens self = *this;
    CudaBf16* states = state + token / seq * cached * channels;
    block.each(channels, [=](int64_t c) {
      // Input number i of the window of `position`; before the first token: the state, or zero.
      const auto input = [=](int64_t position, int64_t i) {
        const int64_t source = position - cached + i;
        if (source >= 0) return to_float(self.x[(token - at + source) * self.channels + c]);
        return self.from_state ? to_float(states[(source + cached) * self.channels + c]) : 0.0F;
      };
      float sum = self.with_bias ? to_float(self.bias[c]) : 0;
      for (int64_t i = 0; i < self.width; ++i) sum += to_float(self.w[c * self.width + i]) * input(at, i);
      self.out[token * self.channels + c] = from_float<CudaBf16>(sum / (1 + expf(-sum)));
      if (at + 1 < self.seq) return;
      for (int64_t i = 0; i < cached; ++i)
        states[i * self.channels + c] = from_float<CudaBf16>(input(at, i + 1));
    });
  }
};

}  // namespace perfatlas
