// SPDX-License-Identifier: Apache-2.0
// Attention in plain loops: what runs where nothing better can. One pass over the cache per query row, with the
// softmax rescaled as larger scores appear.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu.h"

namespace perfatlas {
namespace {

template <class T>
class PortableAttention final : public PreparedKernel {
 public:
  PortableAttention(const AttentionShape& shape, int threads) : s_(shape), threads_(threads) {}

  size_t workspace_bytes() const override { return size_t(threads_) * row_floats() * sizeof(float); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const AttentionMemory<T> memory(operands);
#pragma omp parallel num_threads(threads_)
    {
      float* sums = static_cast<float*>(workspace) + size_t(omp_get_thread_num()) * row_floats();
#pragma omp for collapse(2)
      for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
        for (int64_t head = 0; head < s_.kv_heads; ++head) write_new_tokens(s_, memory, sequence, head);
#pragma omp for collapse(3) schedule(dynamic, 16)
      for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
        for (int64_t head = 0; head < s_.heads; ++head)
          for (int64_t token = 0; token < s_.isl; ++token) attend(memory, sequence, head, token, sums);
    }
  }

 private:
  size_t row_floats() const { return size_t((s_.head_dim + 15) / 16 * 16); }

  void attend(const AttentionMemory<T>& memory, int64_t sequence, int64_t head, int64_t token, float* sums) {
    const size_t row = size_t(((sequence * s_.isl + token) * s_.heads + head) * s_.head_dim);
    const float scale = 1 / std::sqrt(float(s_.head_dim));
    const int64_t last = s_.step + token;
    float largest = -std::numeric_limits<float>::infinity(), total = 0;
    std::fill_n(sums, s_.head_dim, 0.0F);
    for (int64_t at = s_.first_visible(last); at <= last; ++at) {
      const size_t cached = page_offset(s_, memory, sequence, head / s_.group(), at / kPageTokens) +
                            size_t(at % kPageTokens * s_.head_dim);
      float score = 0;
#pragma omp simd reduction(+ : score)
      for (int64_t d = 0; d < s_.head_dim; ++d)
        score += to_float(memory.q[row + size_t(d)]) * to_float(memory.k_cache[cached + size_t(d)]);
      score *= scale;
      if (score > largest) {
        const float shrink = std::exp(largest - score);
        total *= shrink;
        for (int64_t d = 0; d < s_.head_dim; ++d) sums[d] *= shrink;
        largest = score;
      }
      const float weight = std::exp(score - largest);
      total += weight;
      for (int64_t d = 0; d < s_.head_dim; ++d)
        sums[d] += weight * to_float(memory.v_cache[cached + size_t(d)]);
    }
    for (int64_t d = 0; d < s_.head_dim; ++d) memory.out[row + size_t(d)] = from_float<T>(sums[d] / total);
  }

  AttentionShape s_;
  int threads_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_portable_attention(const AttentionShape& shape, CpuDevice& device) {
  if (shape.dtype == DType::f32) return std::make_unique<PortableAttention<float>>(shape, device.threads());
  return std::make_unique<PortableAttention<Bf16>>(shape, device.threads());
}

}  // namespace perfatlas
