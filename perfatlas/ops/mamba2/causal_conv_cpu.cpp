// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/causal_conv_cpu.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "perfatlas/ops/attention/attention_cpu_exp.h"
#include "perfatlas/ops/mamba2/linear_cpu.h"

namespace perfatlas {
namespace {

constexpr int64_t kMostWidth = 8;
/// Channels and tokens of one piece of work: the filter of its channels stays in the first-level cache.
constexpr int64_t kBlockChannels = 512, kBlockTokens = 64;

/// One output token of some channels.
struct ConvRow {
  const uint16_t* inputs[kMostWidth];  // the token itself comes last
  const uint16_t* filter;              // [width][channels]
  const uint16_t* bias;                // may be null
  uint16_t* out;
  int64_t width, channels, begin, end;
};

PERFATLAS_AVX512 void row_avx512(const ConvRow& row) {
  for (int64_t c = row.begin; c < row.end; c += 16) {
    const __mmask16 lanes = lanes_of(row.end - c);
    __m512 sum = row.bias != nullptr ? load_bf16(row.bias + c, lanes) : _mm512_setzero_ps();
    for (int64_t i = 0; i < row.width; ++i)
      sum = _mm512_fmadd_ps(load_bf16(row.filter + i * row.channels + c, lanes),
                            load_bf16(row.inputs[i] + c, lanes), sum);
    // sigmoid(y) = e / (1 + e) or 1 / (1 + e) with e = exp(-|y|), which cannot overflow.
    const __m512 small = exp2_lanes<false>(_mm512_mul_ps(_mm512_abs_ps(sum), _mm512_set1_ps(-1.44269504F)));
    const __m512 one = _mm512_set1_ps(1);
    const __mmask16 negative = _mm512_cmp_ps_mask(sum, _mm512_setzero_ps(), _CMP_LT_OQ);
    const __m512 above = _mm512_mask_blend_ps(negative, one, small);
    const __m512 sigmoid = _mm512_mul_ps(above, _mm512_rcp14_ps(_mm512_add_ps(one, small)));
    store_bf16(row.out + c, lanes, _mm512_mul_ps(sum, sigmoid));
  }
}

void row_portable(const ConvRow& row) {
  for (int64_t c = row.begin; c < row.end; ++c) {
    float sum = row.bias != nullptr ? bf16_to_float(row.bias[c]) : 0;
    for (int64_t i = 0; i < row.width; ++i)
      sum += bf16_to_float(row.filter[i * row.channels + c]) * bf16_to_float(row.inputs[i][c]);
    row.out[c] = float_to_bf16(sum / (1 + std::exp(-sum)));
  }
}

class CausalConv final : public PreparedKernel {
 public:
  using RowFunction = void (*)(const ConvRow&);

  CausalConv(const CausalConvShape& shape, int threads, RowFunction row)
      : s_(shape), threads_(threads), row_(row), nothing_(size_t(shape.channels)) {}

  /// The filter with channels innermost.
  size_t packed_bytes(size_t index) const override {
    return index == kFilter ? size_t(s_.width * s_.channels) * sizeof(uint16_t) : 0;
  }
  void pack(size_t, const void* declared, void* packed) override {
    const auto* from = static_cast<const uint16_t*>(declared);
    auto* to = static_cast<uint16_t*>(packed);
    for (int64_t c = 0; c < s_.channels; ++c)
      for (int64_t i = 0; i < s_.width; ++i) to[i * s_.channels + c] = from[c * s_.width + i];
  }

  void launch(Stream, std::span<void* const> operands, void*) override {
    const int64_t channel_blocks = (s_.channels + kBlockChannels - 1) / kBlockChannels;
    const int64_t token_blocks = (s_.seq + kBlockTokens - 1) / kBlockTokens;
    const int64_t pieces = s_.batch * token_blocks * channel_blocks;
    const int threads = int(std::min<int64_t>(threads_, pieces));
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t sequence = piece / (token_blocks * channel_blocks);
      const int64_t token = piece / channel_blocks % token_blocks * kBlockTokens;
      const int64_t channel = piece % channel_blocks * kBlockChannels;
      convolve(operands, {sequence, token, std::min(token + kBlockTokens, s_.seq), channel,
                          std::min(channel + kBlockChannels, s_.channels)});
    }
  }

 private:
  static constexpr size_t kFilter = 1;

  struct Piece {
    int64_t sequence, first_token, last_token, first_channel, last_channel;
  };

  uint16_t* state_of(std::span<void* const> operands, int64_t sequence) const {
    return static_cast<uint16_t*>(operands[s_.bias ? 3 : 2]) + sequence * (s_.width - 1) * s_.channels;
  }

  void convolve(std::span<void* const> operands, const Piece& piece) {
    const auto* x = static_cast<const uint16_t*>(operands[0]) + piece.sequence * s_.seq * s_.channels;
    auto* out = static_cast<uint16_t*>(operands[s_.bias ? 4 : 3]) + piece.sequence * s_.seq * s_.channels;
    uint16_t* const state = state_of(operands, piece.sequence);
    const auto input = [&](int64_t token) -> const uint16_t* {
      if (token >= 0) return x + token * s_.channels;
      if (s_.phase == LinearPhase::context) return nothing_.data();
      return state + (s_.width - 1 + token) * s_.channels;
    };
    ConvRow row{.inputs = {},
                .filter = static_cast<const uint16_t*>(operands[kFilter]),
                .bias = s_.bias ? static_cast<const uint16_t*>(operands[2]) : nullptr,
                .out = nullptr,
                .width = s_.width,
                .channels = s_.channels,
                .begin = piece.first_channel,
                .end = piece.last_channel};
    for (int64_t token = piece.first_token; token < piece.last_token; ++token) {
      for (int64_t i = 0; i < s_.width; ++i) row.inputs[i] = input(token - s_.width + 1 + i);
      row.out = out + token * s_.channels;
      row_(row);
    }
    if (piece.last_token < s_.seq) return;
    // The last inputs, oldest first. What moves within the state moves towards its start.
    const auto bytes = size_t(piece.last_channel - piece.first_channel) * sizeof(uint16_t);
    for (int64_t i = 0; i < s_.width - 1; ++i)
      std::memmove(state + i * s_.channels + piece.first_channel,
                   input(s_.seq - s_.width + 1 + i) + piece.first_channel, bytes);
  }

  CausalConvShape s_;
  int threads_;
  RowFunction row_;
  std::vector<uint16_t> nothing_;  // zeros: what came before the first token
};

}  // namespace

std::string why_no_conv(const CausalConvShape& shape) {
  if (shape.width <= kMostWidth) return {};
  return fmt::format("no CPU kernel convolves over {} tokens: at most {}", shape.width, kMostWidth);
}

std::unique_ptr<PreparedKernel> make_vector_conv(const CausalConvShape& shape, CpuDevice& device) {
  return std::make_unique<CausalConv>(shape, device.threads(), row_avx512);
}

std::unique_ptr<PreparedKernel> make_portable_conv(const CausalConvShape& shape, CpuDevice& device) {
  return std::make_unique<CausalConv>(shape, device.threads(), row_portable);
}

}  // namespace perfatlas
