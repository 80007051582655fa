// SPDX-License-Identifier: Apache-2.0
// Indexer scores and sparse attention in plain loops: what runs where nothing better can.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/dsa/dsa_cpu.h"

namespace perfatlas {
namespace {

template <class T>
float dot(const T* a, const T* b, int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += to_float(a[i]) * to_float(b[i]);
  return sum;
}

template <class T>
class PortableLogits final : public PreparedKernel {
 public:
  PortableLogits(const DsaMqaLogits& op, CpuDevice& device) : s_(op.shape()), threads_(device.threads()) {}

  void launch(Stream, std::span<void* const> operands, void*) override {
#pragma omp parallel for num_threads(threads_) collapse(2) schedule(dynamic, 64)
    for (int64_t token = 0; token < s_.tokens(); ++token)
      for (int64_t at = 0; at < s_.context_tokens(); ++at)
        static_cast<float*>(operands[logits_out_at])[token * s_.context_tokens() + at] =
            at < s_.visible(token % s_.isl) ? score(operands, token, at) : 0;
  }

 private:
  float score(std::span<void* const> operands, int64_t token, int64_t at) const {
    const MlaGeometry& g = s_.geometry;
    const T* q = static_cast<const T*>(operands[logits_q_at]) + token * g.index_heads * g.index_dim;
    const T* key = dsa_cached(s_, static_cast<const T*>(operands[logits_cache_at]),
                              static_cast<const int32_t*>(operands[logits_page_table_at]), token / s_.isl, at,
                              g.index_dim);
    float sum = 0;
    for (int64_t head = 0; head < g.index_heads; ++head)
      sum += static_cast<const float*>(operands[logits_weights_at])[token * g.index_heads + head] *
             std::max(dot(q + head * g.index_dim, key, g.index_dim), 0.0F);
    return sum;
  }

  DsaShape s_;
  int threads_;
};

/// One pass over the selected tokens per head, with the softmax rescaled as larger scores appear.
template <class T>
class PortableSparseAttention final : public PreparedKernel {
 public:
  PortableSparseAttention(const DsaAttention& op, CpuDevice& device)
      : s_(op.shape()), threads_(device.threads()) {}

  size_t workspace_bytes() const override { return size_t(threads_) * row_floats() * sizeof(float); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
#pragma omp parallel num_threads(threads_)
    {
      float* const sums = static_cast<float*>(workspace) + size_t(omp_get_thread_num()) * row_floats();
#pragma omp for collapse(2) schedule(dynamic, 1)
      for (int64_t token = 0; token < s_.tokens(); ++token)
        for (int64_t head = 0; head < s_.heads; ++head) attend(operands, token, head, sums);
    }
  }

 private:
  size_t row_floats() const { return size_t((s_.geometry.kv_lora + 15) / 16 * 16); }

  void attend(std::span<void* const> operands, int64_t token, int64_t head, float* sums) const {
    const MlaGeometry& g = s_.geometry;
    const T* q = static_cast<const T*>(operands[dsa_q_at]) + (token * s_.heads + head) * g.latent();
    const auto* selected = static_cast<const int32_t*>(operands[dsa_selected_at]) + token * g.topk;
    const float scale = 1 / std::sqrt(float(g.head()));
    float largest = -std::numeric_limits<float>::infinity(), total = 0;
    std::fill_n(sums, g.kv_lora, 0.0F);
    for (int64_t i = 0; i < s_.selected(token % s_.isl); ++i) {
      const T* row = dsa_cached(s_, static_cast<const T*>(operands[dsa_cache_at]),
                                static_cast<const int32_t*>(operands[dsa_page_table_at]), token / s_.isl,
                                selected[i], g.latent());
      const float score = scale * dot(q, row, g.latent());
      if (score > largest) {
        const float shrink = std::exp(largest - score);
        total *= shrink;
        for (int64_t d = 0; d < g.kv_lora; ++d) sums[d] *= shrink;
        largest = score;
      }
      const float weight = std::exp(score - largest);
      total += weight;
      for (int64_t d = 0; d < g.kv_lora; ++d) sums[d] += weight * to_float(row[d]);
    }
    T* out = static_cast<T*>(operands[dsa_out_at]) + (token * s_.heads + head) * g.kv_lora;
    for (int64_t d = 0; d < g.kv_lora; ++d) out[d] = from_float<T>(sums[d] / total);
  }

  DsaShape s_;
  int threads_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_portable_logits(const DsaMqaLogits& op, CpuDevice& device) {
  if (op.dtype == DType::f32) return std::make_unique<PortableLogits<float>>(op, device);
  return std::make_unique<PortableLogits<Bf16>>(op, device);
}

std::unique_ptr<PreparedKernel> make_portable_dsa_attention(const DsaAttention& op, CpuDevice& device) {
  if (op.dtype == DType::f32) return std::make_unique<PortableSparseAttention<float>>(op, device);
  return std::make_unique<PortableSparseAttention<Bf16>>(op, device);
}

}  // namespace perfatlas
