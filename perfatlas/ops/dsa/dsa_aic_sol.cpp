// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa_aic_sol.h"

#include <algorithm>
#include <cmath>

namespace perfatlas::aic {
namespace {

constexpr DsaSizes kDeepSeekV32{7168, 1536, 512, 128, 64, 128, 2048, 128, 64};
constexpr DsaSizes kGlm5{6144, 2048, 512, 192, 64, 256, 2048, 128, 32};
constexpr double kIndexScaleBlock = 128;  // elements of an index key that share a scale of 4 bytes

}  // namespace

const DsaSizes& dsa_sizes(std::string_view architecture) {
  return architecture == "GlmMoeDsaForCausalLM" ? kGlm5 : kDeepSeekV32;
}

double limited_pairs(double b, double s, double p, double limit) {
  const double full = p + s;
  if (full <= limit) return b * (full * (full + 1) - p * (p + 1)) / 2;
  if (p >= limit) return b * s * limit;
  return b * (limit * (limit + 1) - p * (p + 1)) / 2 + b * (full - limit) * limit;
}

double DsaSol::projections_ms(double t, double n) const {
  const DsaSizes& d = sizes;
  const double q = 2 * t * d.hidden * d.q_lora + 2 * t * d.q_lora * n * (d.nope + d.rope);
  const double kv =
      2 * t * d.hidden * (d.kv_lora + d.rope) + 2 * n * t * d.nope * d.kv_lora + 2 * n * t * d.kv_lora * d.v;
  const double o = 2 * t * n * d.v * d.hidden;
  const double index = 2 * t * d.hidden * d.index_dim + 2 * t * d.q_lora * d.index_heads * d.index_dim +
                       2 * t * d.hidden * d.index_heads;
  return (q + kv + o + index) / gemm_flops * 1e3;
}

double DsaSol::weight_bytes(double n) const {
  const DsaSizes& d = sizes;
  return (d.hidden * d.q_lora + d.q_lora * n * (d.nope + d.rope) + d.hidden * (d.kv_lora + d.rope) +
          n * d.v * d.hidden + d.hidden * d.index_dim + d.q_lora * d.index_heads * d.index_dim +
          d.hidden * d.index_heads) *
         gemm_bytes;
}

SolParts DsaSol::context(int64_t b_, int64_t n_, int64_t s_, int64_t prefix) const {
  const DsaSizes& d = sizes;
  const double b = double(b_), n = double(n_), s = double(s_), p = double(prefix), full = s + p, t = b * s;
  const bool selects = with_indexer && full > d.topk;
  const double index = selects ? 2 * t * d.index_heads * d.index_dim * full : 0;
  const double latent = d.kv_lora + d.rope;
  const double attention = 2 * n * (latent + d.kv_lora) * limited_pairs(b, s, p, d.topk);
  const double bytes =
      weight_bytes(n) + b * n * std::min(full, d.topk) * latent * kv_bytes +
      (selects ? b * full * (d.index_dim + 4 * std::ceil(d.index_dim / kIndexScaleBlock)) : 0) +
      t * n * (d.nope + d.rope) * fmha_bytes * 2;
  return {projections_ms(t, n) + (index / fp8_flops + attention / attention_flops) * 1e3,
          bytes / bandwidth * 1e3};
}

SolParts DsaSol::generation(int64_t b_, int64_t n_, int64_t s_) const {
  const DsaSizes& d = sizes;
  const double b = double(b_), n = double(n_), s = double(s_);
  const double latent = d.kv_lora + d.rope, seen = std::min(s, d.topk);
  const double index = 2 * b * d.index_heads * d.index_dim * s;
  const double attention = 2 * b * n * (latent + d.kv_lora) * seen;
  const double bytes = weight_bytes(n) +
                       b * s * (d.index_dim + 4 * std::ceil(d.index_dim / kIndexScaleBlock)) +
                       b * seen * latent * kv_bytes;
  return {projections_ms(b, n) + (index / fp8_flops + attention / attention_flops) * 1e3,
          bytes / bandwidth * 1e3};
}

}  // namespace perfatlas::aic
