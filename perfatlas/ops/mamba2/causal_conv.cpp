// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/causal_conv.h"

#include <cmath>

namespace perfatlas {

Operands causal_conv_operands(const CausalConvShape& s) {
  using enum DType;
  Operands operands = {linear_input("x", bf16, {s.batch, s.seq, s.channels}),
                       linear_weight("w", bf16, {s.channels, s.width})};
  if (s.bias) operands.push_back(linear_weight("bias", bf16, {s.channels}));
  operands.push_back(linear_state("conv_state", bf16, {s.batch, s.width - 1, s.channels}));
  operands.push_back(linear_output("out", bf16, {s.batch, s.seq, s.channels}));
  return operands;
}

Work causal_conv_work(const CausalConvShape& s) {
  const double values = double(s.tokens()) * double(s.channels);
  const double state_bytes = 2.0 * double(s.batch) * double(s.width - 1) * double(s.channels);
  return {
      .flops = 2 * values * double(s.width),
      .weight_bytes_read = 2.0 * double(s.channels) * double(s.width + (s.bias ? 1 : 0)),
      .kv_bytes_read = s.phase == LinearPhase::generation ? state_bytes : 0,
      .activation_bytes_read = 2 * values,
      .kv_bytes_written = state_bytes,
      .bytes_written = 2 * values,
      .math = DType::f32,
  };
}

void causal_conv_reference(const CausalConvShape& s, std::vector<HostOperand>& data) {
  const std::vector<float>&x = data[0].values, &w = data[1].values;
  std::vector<float>& state = data[s.bias ? 3 : 2].values;
  std::vector<float>& out = data[s.bias ? 4 : 3].values;
  const auto channels = size_t(s.channels), width = size_t(s.width), seq = size_t(s.seq);
  const size_t cached = width - 1;
  std::vector<double> window(cached + seq);  // of one channel: what was before, then the new tokens
  for (size_t sequence = 0; sequence < size_t(s.batch); ++sequence)
    for (size_t c = 0; c < channels; ++c) {
      const auto state_at = [&](size_t i) { return (sequence * cached + i) * channels + c; };
      const auto token_at = [&](size_t t) { return (sequence * seq + t) * channels + c; };
      for (size_t i = 0; i < cached; ++i)
        window[i] = s.phase == LinearPhase::generation ? double(state[state_at(i)]) : 0;
      for (size_t t = 0; t < seq; ++t) window[cached + t] = x[token_at(t)];
      for (size_t t = 0; t < seq; ++t) {
        double sum = s.bias ? double(data[2].values[c]) : 0;
        for (size_t i = 0; i < width; ++i) sum += double(w[c * width + i]) * window[t + i];
        out[token_at(t)] = float(sum / (1 + std::exp(-sum)));
      }
      for (size_t i = 0; i < cached; ++i) state[state_at(i)] = float(window[seq + i]);
    }
}

}  // namespace perfatlas
