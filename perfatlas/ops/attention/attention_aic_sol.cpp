// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_aic_sol.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace perfatlas::aic {
namespace {

constexpr std::array<double, 5> kHeadSizes{64, 128, 192, 256, 512};
constexpr std::array<double, 5> kTrtllm{.58, 1, 1.10, 1.17, 1.20};
constexpr std::array<double, 5> kSglang{.60, 1, 1.18, 1.32, 1.38};
constexpr std::array<double, 5> kVllm{.60, 1, 1.27, 1.51, 1.60};

}  // namespace

SolParts context_attention_sol(const AttentionHeads& heads, const AttentionPeaks& peaks, int64_t b_,
                               int64_t full_, int64_t prefix) {
  const double b = double(b_), full = double(full_), p = double(prefix), fresh = full - p;
  const double n = double(heads.n), n_kv = double(heads.n_kv == 0 ? heads.n : heads.n_kv);
  const double h = double(heads.head_size), w = double(heads.window);
  const double operations =
      heads.window > 0 && full > w ? 4 * b * fresh * w * n * h : 2 * b * (full * full - p * p) * n * h;
  const double bytes = 2 * b * 2 * n * fresh * h + peaks.kv_bytes * b * 2 * n_kv * full * h;
  return {operations / peaks.flops * 1e3, bytes / peaks.bandwidth * 1e3};
}

SolParts generation_attention_sol(const AttentionHeads& heads, const AttentionPeaks& peaks, int64_t b_,
                                  int64_t s) {
  const double b = double(b_), n = double(heads.n), n_kv = double(heads.n_kv == 0 ? heads.n : heads.n_kv);
  const double h = double(heads.head_size);
  const double cached = double(heads.window > 0 ? std::min(s - 1, heads.window) : s - 1);
  const double bytes = b * (n * h * 2 + 2 * n_kv * cached * h * peaks.kv_bytes + n * h * 2);
  return {4 * b * n * h * cached / peaks.flops * 1e3, bytes / peaks.bandwidth * 1e3};
}

double usual_prefill_efficiency(std::string_view backend, int64_t head_size) {
  const std::array<double, 5>& usual = backend == "trtllm" ? kTrtllm : backend == "sglang" ? kSglang : kVllm;
  const double size = double(head_size);
  if (size <= kHeadSizes.front()) return usual.front();
  if (size >= kHeadSizes.back()) return usual.back();
  const size_t high =
      size_t(std::upper_bound(kHeadSizes.begin(), kHeadSizes.end(), size) - kHeadSizes.begin());
  const double weight =
      std::log2(size / kHeadSizes[high - 1]) / std::log2(kHeadSizes[high] / kHeadSizes[high - 1]);
  return usual[high - 1] + (usual[high] - usual[high - 1]) * weight;
}

}  // namespace perfatlas::aic
