// SPDX-License-Identifier: Apache-2.0
// Attention in plain loops: what runs where nothing better can. One pass over the cache per query row, with the
// softmax rescaled as larger scores appear.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "perfatlas/ops/attention/attention_cpu.h"

namespace perfatlas {

/// `Memory`: where a launch finds its rows (attention_cpu.h). REQUIRES: shape.dtype is that of Memory::Element.
template <class Memory>
class PortableAttention final : public PreparedKernel {
 public:
  using T = typename Memory::Element;

  PortableAttention(const AttentionShape& shape, int threads) : s_(shape), threads_(threads) {}

  size_t workspace_bytes() const override { return size_t(threads_) * row_floats() * sizeof(float); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const Memory memory(operands);
#pragma omp parallel num_threads(threads_)
    {
      float* sums = static_cast<float*>(workspace) + size_t(omp_get_thread_num()) * row_floats();
#pragma omp for collapse(2)
      for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
        for (int64_t head = 0; head < s_.kv_heads; ++head) memory.write_new_tokens(s_, sequence, head);
#pragma omp for collapse(3) schedule(dynamic, 16)
      for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
        for (int64_t head = 0; head < s_.heads; ++head)
          for (int64_t token = 0; token < s_.isl; ++token) attend(memory, sequence, head, token, sums);
    }
  }

 private:
  size_t row_floats() const { return size_t((s_.value_width() + 15) / 16 * 16); }

  void attend(const Memory& memory, int64_t sequence, int64_t head, int64_t token, float* sums) {
    const int64_t row = (sequence * s_.isl + token) * s_.heads + head, kv_head = head / s_.group();
    const T* q = memory.q + row * s_.head_dim;
    const float scale = float(s_.score_scale());
    const int64_t position = s_.step + token, width = s_.value_width();
    float largest = -std::numeric_limits<float>::infinity(), total = 0;
    std::fill_n(sums, width, 0.0F);
    for (int64_t at = s_.first_visible(position); at < s_.last_visible(position); ++at) {
      const KvRows<T> keys = memory.keys(s_, sequence, kv_head, at / kPageTokens),
                      values = memory.values(s_, sequence, kv_head, at / kPageTokens);
      const T *key = keys.at + at % kPageTokens * keys.stride,
              *value = values.at + at % kPageTokens * values.stride;
      float score = 0;
#pragma omp simd reduction(+ : score)
      for (int64_t d = 0; d < s_.head_dim; ++d) score += to_float(q[d]) * to_float(key[d]);
      score *= scale;
      if (score > largest) {
        const float shrink = std::exp(largest - score);
        total *= shrink;
        for (int64_t d = 0; d < width; ++d) sums[d] *= shrink;
        largest = score;
      }
      const float weight = std::exp(score - largest);
      total += weight;
      for (int64_t d = 0; d < width; ++d) sums[d] += weight * to_float(value[d]);
    }
    for (int64_t d = 0; d < width; ++d) memory.out[row * width + d] = from_float<T>(sums[d] / total);
  }

  AttentionShape s_;
  int threads_;
};

}  // namespace perfatlas
