// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsv4/dsv4_aic_sol.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/dsa/dsa_aic_sol.h"
#include "perfatlas/ops/dsv4/dsv4_case.h"

namespace perfatlas::aic {
namespace {

/// Sum over j = 1 .. last of floor(j / ratio).
double compressed_seen(int64_t last, int64_t ratio) {
  const double whole = double(last / ratio), rest = double(last % ratio);
  return double(ratio) * whole * (whole - 1) / 2 + whole * (rest + 1);
}

/// Sum over j = first + 1 .. last of min(floor(j / ratio), limit).
double limited_compressed(int64_t first, int64_t last, int64_t ratio, int64_t limit) {
  const auto up_to = [&](int64_t j) {
    const int64_t knee = std::min(j, limit * ratio);
    return compressed_seen(knee, ratio) + double(limit) * double(j - knee);
  };
  return up_to(last) - up_to(first);
}

}  // namespace

SolParts Dsv4Sol::parts(double b, double t, double kv, double pairs, double rotated_bytes) const {
  const double h = double(op.hidden_size), q_lora = double(op.q_lora_rank), o_lora = double(op.o_lora_rank);
  const double hd = double(op.head_dim), rope = double(op.rope_head_dim), n = double(op.num_heads);
  const double inh = double(op.index_n_heads), ihd = double(op.index_head_dim);
  const bool selects = op.compress_ratio == kCsaRatio;
  const double groups = double(op.o_groups), c = selects ? 2 : 1;
  const double compressed = std::floor(kv / double(op.compress_ratio));
  const double gemm_bytes = profile_of(op.gemm_quant).bytes, kv_bytes = profile_of(op.kv_quant).bytes;

  const double projections =
      2 * t * h * q_lora + 2 * t * q_lora * n * hd + 2 * t * h * hd + 2 * t * groups * o_lora * h;
  double compression = 4 * t * h * c * hd + 2 * t * c * hd;
  double bf16 = 2 * t * n * hd * o_lora, fp8 = 0;
  double weights = h * q_lora + q_lora * n * hd + h * hd + groups * o_lora * h + 2 * h * c * hd;
  double bf16_weights = n * hd * o_lora;
  double index_cache = 0;
  if (selects) {
    compression += 8 * t * h * ihd + 4 * t * ihd;
    bf16 += 2 * t * h * inh;
    fp8 = 2 * t * q_lora * inh * ihd + 2 * t * compressed * inh * ihd;
    weights += q_lora * inh * ihd;
    bf16_weights += h * inh;
    index_cache = b * compressed * ihd / 2;
  }
  const double math = (projections + compression) / gemm_flops + bf16 / bf16_flops + fp8 / fp8_flops +
                      4 * n * hd * pairs / attention_flops;
  const double bytes = weights * gemm_bytes + bf16_weights * 2 +
                       t * (h + q_lora + n * hd + hd + groups * o_lora) * gemm_bytes + pairs * hd * kv_bytes +
                       index_cache + t * n * rope * rotated_bytes;
  return {math * 1e3, bytes / bandwidth * 1e3};
}

SolParts Dsv4Sol::context(int64_t b, int64_t s, int64_t prefix) const {
  const int64_t kv = prefix + s, ratio = op.compress_ratio;
  const int64_t limit = ratio == kCsaRatio ? op.index_topk : kv / ratio;
  const double window = limited_pairs(double(b), double(s), double(prefix), double(op.window_size));
  return parts(double(b), double(b * s), double(kv),
               window + double(b) * limited_compressed(prefix, kv, ratio, limit),
               profile_of(op.fmha_quant).bytes);
}

SolParts Dsv4Sol::generation(int64_t b, int64_t s) const {
  const int64_t kv = std::max<int64_t>(s - 1, 0), ratio = op.compress_ratio;
  const int64_t limit = ratio == kCsaRatio ? op.index_topk : kv / ratio;
  const int64_t pairs = std::min(kv, op.window_size) + std::min(kv / ratio, limit);
  return parts(double(b), double(b), double(kv), double(b * pairs), decode_bytes);
}

}  // namespace perfatlas::aic
