// SPDX-License-Identifier: Apache-2.0
// Speed of light of published tables as their collector's tool has it (ideal overlap, every operand charged to
// memory), in the axes of the op: what the test vectors of the engine were computed with.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "perfatlas/interp/atlas_law.h"

namespace perfatlas::published {

struct Peaks {
  double memory = 0, bf16 = 0, fp8 = 0, wire = 0;  // bytes/s, FLOP/s, FLOP/s, bytes/s

  double flops(bool narrow) const { return narrow ? fp8 : bf16; }
};

inline constexpr Peaks kH100{3.35e12, 989e12, 1978e12, 450e9};
inline constexpr Peaks kH200{4.8e12, 989e12, 1978e12, 450e9};

inline double bytes_of(std::string_view dtype) { return dtype.starts_with("fp8") || dtype == "int8" ? 1 : 2; }
inline bool is_narrow(std::string_view dtype) { return dtype.starts_with("fp8"); }

/// n, k, m.
inline SolLaw gemm(const Peaks& p, std::string_view dtype) {
  const double f = 1e3 / p.flops(is_narrow(dtype)), b = 1e3 * bytes_of(dtype) / p.memory;
  return [=](const double* a) -> SolParts {
    const double n = a[0], k = a[1], m = a[2];
    return {2 * m * n * k * f, (m * n + m * k + n * k) * b};
  };
}

struct Attention {
  std::string_view fmha, kv;
  double kv_heads = 0, head_dim = 128, window = 0;  // kv heads 0: as many as heads
};

/// heads, isl, batch.
inline SolLaw context_attention(const Peaks& p, Attention x) {
  const double f = 1e3 / p.flops(is_narrow(x.fmha)), b = 1e3 / p.memory, kv_bytes = bytes_of(x.kv);
  return [=](const double* a) -> SolParts {
    const double n = a[0], s = a[1], batch = a[2], kv = x.kv_heads > 0 ? x.kv_heads : n, h = x.head_dim;
    const double ops =
        x.window > 0 && s > x.window ? 4 * batch * s * x.window * n * h : 2 * batch * s * s * n * h;
    return {ops * f, (4 * batch * n * s * h + kv_bytes * batch * 2 * kv * s * h) * b};
  };
}

/// heads, batch, s.
inline SolLaw generation_attention(const Peaks& p, Attention x) {
  const double f = 1e3 / p.flops(is_narrow(x.kv)), b = 1e3 / p.memory, kv_bytes = bytes_of(x.kv);
  return [=](const double* a) -> SolParts {
    const double n = a[0], batch = a[1], kv = x.kv_heads > 0 ? x.kv_heads : n, h = x.head_dim;
    const double length = x.window > 0 ? std::min(a[2] - 1, x.window) : a[2] - 1;
    return {4 * batch * n * h * length * f, batch * (n * h * 4 + 2 * kv * length * h * kv_bytes) * b};
  };
}

/// heads, isl, batch.
inline SolLaw context_mla(const Peaks& p, std::string_view mla, std::string_view kv) {
  const double f = 1e3 / p.flops(is_narrow(mla)), b = 1e3 / p.memory, kv_bytes = bytes_of(kv);
  return [=](const double* a) -> SolParts {
    const double n = a[0], s = a[1], batch = a[2];
    return {batch * n * 320 * s * s * f, batch * n * (kv_bytes * s * 320 + 2 * s * 320) * b};
  };
}

/// heads, batch, s.
inline SolLaw generation_mla(const Peaks& p, std::string_view kv) {
  const double f = 1e3 / p.flops(is_narrow(kv)), b = 1e3 / p.memory, kv_bytes = bytes_of(kv);
  return [=](const double* a) -> SolParts {
    const double n = a[0], batch = a[1], s = a[2];
    return {2 * batch * n * 1088 * s * f, batch * (n * 1088 * 2 + (s - 1) * 576 * kv_bytes) * b};
  };
}

/// heads, tokens.
inline SolLaw mla_bmm(const Peaks& p, std::string_view dtype) {
  const double f = 1e3 / p.flops(is_narrow(dtype)), b = 1e3 * bytes_of(dtype) / p.memory;
  return [=](const double* a) -> SolParts {
    return {2 * a[1] * a[0] * 128 * 512 * f, a[0] * (640 * a[1] + 65536) * b};
  };
}

struct Experts {
  double topk = 1, experts = 1, hidden = 1, inter = 1, tp = 1, ep = 1, matrices = 3;
};

/// tokens; integer shares as the ranks have them.
inline SolLaw moe(const Peaks& p, std::string_view dtype, Experts x) {
  const double f = 1e3 / p.flops(is_narrow(dtype)), b = 1e3 * bytes_of(dtype) / p.memory;
  return [=](const double* a) -> SolParts {
    const double pairs = a[0] * x.topk, here = std::floor(pairs / x.ep);
    const double ops = std::floor(std::floor(pairs * x.hidden * x.inter * x.matrices * 2 / x.ep) / x.tp);
    const double elements =
        here * x.hidden * 2 + std::floor(here * x.inter * x.matrices / x.tp) +
        std::floor(x.hidden * x.inter * x.matrices / x.tp) * std::min(std::floor(x.experts / x.ep), here);
    return {ops * f, elements * b};
  };
}

/// tokens; shares of a rank without rounding, and the experts that random tokens are expected to touch.
inline SolLaw smooth_moe(const Peaks& p, std::string_view dtype, Experts x) {
  const double f = 1e3 / p.flops(is_narrow(dtype)), b = 1e3 * bytes_of(dtype) / p.memory;
  return [=](const double* a) -> SolParts {
    const double pairs = a[0] * x.topk / x.ep, local = x.experts / x.ep,
                 weights = x.inter * x.matrices / x.tp;
    const double hit = std::max(local * (1 - std::exp(-pairs / local)), std::min(1.0, pairs));
    return {2 * pairs * x.hidden * weights * f,
            (2 * pairs * x.hidden + pairs * weights + x.hidden * weights * hit) * b};
  };
}

/// elements of half precision.
inline SolLaw custom_all_reduce(const Peaks& p, double ranks) {
  return [=](const double* a) -> SolParts {
    return {0, 2 * (a[0] * 2) / ranks * (ranks - 1) / p.wire * 1e3};
  };
}

/// elements.
inline SolLaw collective(const Peaks& p, std::string_view kind, double bytes, double ranks) {
  const double factor = kind == "all_reduce" ? 2 : 1;
  return [=](const double* a) -> SolParts {
    return {0, factor * bytes * a[0] * (ranks - 1) / ranks / p.wire * 1e3};
  };
}

/// heads, prefix, isl, batch of the DeepSeek-V3.2 block.
inline SolLaw dsa_context(const Peaks& p, std::string_view mla, std::string_view kv, std::string_view gemm) {
  constexpr double H = 7168, q_lora = 1536, kv_lora = 512, nope = 128, rope = 64, v = 128, topk = 2048,
                   ihd = 128, inh = 64, qk = nope + rope, ad = kv_lora + rope,
                   proj = q_lora + kv_lora + rope + ihd;
  const double gemm_ms = 1e3 / p.flops(is_narrow(gemm)), index_ms = 1e3 / p.fp8,
               attention_ms = 1e3 / p.flops(is_narrow(mla)), b = 1e3 / p.memory;
  const double gemm_bytes = bytes_of(gemm), kv_bytes = bytes_of(kv), fmha_bytes = bytes_of(mla);
  return [=](const double* a) -> SolParts {
    const double N = a[0], prefix = a[1], s = a[2], batch = a[3], t = batch * s, full = s + prefix;
    const double linear = 2 * t * H * proj + 2 * t * q_lora * N * qk + 2 * t * q_lora * inh * ihd +
                          2 * t * H * inh + 2 * t * N * v * H + 2 * N * t * nope * kv_lora +
                          2 * N * t * kv_lora * v;
    const double index = full > topk ? 2 * t * inh * ihd * full : 0;
    double pairs = t * topk;
    if (full <= topk)
      pairs = batch * (full * (full + 1) - prefix * (prefix + 1)) / 2;
    else if (prefix < topk)
      pairs = batch * (topk * (topk + 1) - prefix * (prefix + 1)) / 2 + batch * (full - topk) * topk;
    const double attention = 2 * N * (ad + kv_lora) * pairs;
    const double weights = H * proj + q_lora * N * qk + q_lora * inh * ihd + H * inh + N * v * H;
    const double bytes = weights * gemm_bytes + batch * N * std::min(full, topk) * ad * kv_bytes +
                         (full > topk ? batch * full * (ihd + 4 * std::ceil(ihd / 128)) : 0) +
                         t * N * qk * fmha_bytes * 2;
    return {linear * gemm_ms + index * index_ms + attention * attention_ms, bytes * b};
  };
}

}  // namespace perfatlas::published
