// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsv4/dsv4_case.h"

#include <algorithm>

namespace perfatlas {
namespace {

/// Sum over first < j <= last of min(floor(j / ratio), limit).
double compressed_sum(int64_t first, int64_t last, int64_t ratio, int64_t limit) {
  const auto up_to = [&](int64_t j) {
    const int64_t whole = j / ratio, full = std::min(whole, limit);
    // Each value below `full` occurs ratio times; from there on it is the limit or the broken last stretch.
    return double(ratio) * double(full) * double(full - 1) / 2 + double(full) * double(j - full * ratio + 1);
  };
  return up_to(last) - up_to(first);
}

/// Sum over i < isl of min(step + i + 1, window).
double window_sum(int64_t step, int64_t isl, int64_t window) {
  const int64_t growing = std::clamp<int64_t>(window - step, 0, isl);
  return double(growing) * (2.0 * double(step) + double(growing) + 1) / 2 +
         double(isl - growing) * double(window);
}

bool is_csa(const Dsv4Case& c) { return c.compress == kCsaRatio; }

/// The fastest type of any product: a lower bound.
DType fastest(const Dsv4Case& c) {
  const QuantTraits quant = traits_of(c.gemm);
  if (bits_of(quant.math) < 8) return quant.math;
  return bits_of(quant.math) == 8 || bits_of(c.dtype) == 8 || is_csa(c) ? DType::fp8_e4m3 : c.dtype;
}

}  // namespace

std::string_view Dsv4Case::why_invalid_case() const {
  if (batch < 1 || isl < 1 || heads < 1 || tp < 1)
    return "batch_size, isl, num_heads and tp_size must be positive";
  if (step < 0) return "step must not be negative";
  if (compress != kCsaRatio && compress != kHcaRatio) return "compress_ratio must be 4 (CSA) or 128 (HCA)";
  return {};
}

Dsv4Pairs dsv4_pairs(const Dsv4Case& c, bool cached_only) {
  const Dsv4Geometry g = c.geometry();
  const auto sequences = double(c.batch);
  const int64_t full = c.step + c.isl, limit = is_csa(c) ? g.topk : full / c.compress;
  if (cached_only)
    return {sequences * double(std::min(c.step, g.window)),
            sequences * double(std::min(c.step / c.compress, limit))};
  return {sequences * window_sum(c.step, c.isl, g.window),
          sequences * compressed_sum(c.step, full, c.compress, limit)};
}

Work dsv4_module_work(const Dsv4Case& c, bool generation) {
  const Dsv4Geometry g = c.geometry();
  const bool csa = is_csa(c);
  const double t = double(c.tokens()), n = double(c.heads), h = double(g.hidden), q = double(g.q_lora);
  const double d = double(g.head_dim), index = double(g.index_heads * g.index_dim);
  const double out = double(std::max<int64_t>(1, g.o_groups / c.tp) * g.o_lora), streams = csa ? 2 : 1;
  const int64_t compressed = (generation ? c.step : c.step + c.isl) / c.compress;
  double flops = 2 * t * (h * q + q * n * d + h * d + out * h) + 4 * t * h * streams * d +
                 2 * t * streams * d + 2 * t * n * d * double(g.o_lora);
  double narrow = h * q + q * n * d + h * d + out * h + 2 * h * streams * d, wide = n * d * double(g.o_lora);
  double index_cache = 0;
  if (csa) {
    flops += 8 * t * h * double(g.index_dim) + 4 * t * double(g.index_dim) +
             2 * t * h * double(g.index_heads) + 2 * t * q * index + 2 * t * double(compressed) * index;
    narrow += q * index;
    wide += h * double(g.index_heads);
    index_cache = double(c.batch) * double(compressed) * double(g.index_dim) / 2;
  }
  const Dsv4Pairs pairs = dsv4_pairs(c, generation);
  flops += 4 * n * d * (pairs.window + pairs.compressed);
  // Of the pairs' keys every sequence reads each cached one at least once.
  const double cached = double(std::min<int64_t>(c.step, g.window)) +
                        double(csa ? std::min(c.step / c.compress, g.topk) : c.step / c.compress);
  return {.flops = flops,
          .weight_bytes_read = narrow * traits_of(c.gemm).weight_bytes + 2 * wide,
          .kv_bytes_read = double(c.batch) * cached * d * bytes_of(c.kv_dtype) + index_cache,
          .activation_bytes_read = 2 * t * h,
          .bytes_written = 2 * t * h,
          .math = fastest(c)};
}

Work dsv4_logits_work(const Dsv4Case& c) {
  const Dsv4Geometry g = c.geometry();
  const double t = double(c.tokens()), compressed = double((c.step + c.isl) / c.compress);
  const double index = double(g.index_heads * g.index_dim);
  // Causal: on average half of what the new tokens themselves add.
  const double scored =
      double(c.batch) * double(c.isl) * (double(c.step) + double(c.isl) / 2) / double(c.compress);
  return {.flops = 2 * index * scored,
          .kv_bytes_read = double(c.batch) * compressed * double(g.index_dim) / 2,
          .activation_bytes_read = t * index,
          .bytes_written = 4 * scored,
          .math = DType::fp8_e4m3};
}

Work dsv4_attention_work(const Dsv4Case& c) {
  const Dsv4Geometry g = c.geometry();
  const Dsv4Pairs pairs = dsv4_pairs(c, false);
  const double rows = double(c.tokens()) * double(c.heads) * double(g.head_dim);
  return {.flops = 4 * double(c.heads) * double(g.head_dim) * (pairs.window + pairs.compressed),
          .activation_bytes_read = rows * bytes_of(c.dtype),
          .bytes_written = rows * bytes_of(c.dtype),
          .math = c.dtype};
}

Work dsv4_selection_work(const Dsv4Case& c) {
  const double compressed = double(std::max<int64_t>(1, (c.step + c.isl) / c.compress));
  return {.activation_bytes_read = 4 * double(c.tokens()) * compressed};
}

}  // namespace perfatlas
