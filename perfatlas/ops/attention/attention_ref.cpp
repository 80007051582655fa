// SPDX-License-Identifier: Apache-2.0
// Naive attention in double precision; judges every kernel's numbers.
#include <algorithm>
#include <cmath>

#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {
namespace {

class PagedReference {
 public:
  PagedReference(const AttentionShape& shape, std::vector<HostOperand>& data) : s_(shape), data_(data) {}

  void write_new_tokens() {
    for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
      for (int64_t i = 0; i < s_.isl; ++i)
        for (int64_t head = 0; head < s_.kv_heads; ++head) {
          const size_t from = size_t(((sequence * s_.isl + i) * s_.kv_heads + head) * s_.head_dim);
          const size_t to = cached(sequence, s_.step + i, head);
          std::copy_n(&data_[k_at].values[from], s_.head_dim, &data_[k_cache_at].values[to]);
          std::copy_n(&data_[v_at].values[from], s_.head_dim, &data_[v_cache_at].values[to]);
        }
  }

  void attend(int64_t sequence, int64_t token, int64_t head) {
    const size_t row = size_t(((sequence * s_.isl + token) * s_.heads + head) * s_.head_dim);
    const int64_t kv_head = head / s_.group(), last = s_.step + token;
    std::vector<double> weights;
    for (int64_t at = s_.first_visible(last); at <= last; ++at) {
      const size_t key = cached(sequence, at, kv_head);
      double score = 0;
      for (size_t d = 0; d < size_t(s_.head_dim); ++d)
        score += double(data_[q_at].values[row + d]) * double(data_[k_cache_at].values[key + d]);
      weights.push_back(score / std::sqrt(double(s_.head_dim)));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& weight : weights) total += weight = std::exp(weight - largest);
    std::vector<double> sum(size_t(s_.head_dim), 0.0);
    for (size_t i = 0; i < weights.size(); ++i) {
      const size_t value = cached(sequence, s_.first_visible(last) + int64_t(i), kv_head);
      for (size_t d = 0; d < sum.size(); ++d)
        sum[d] += weights[i] / total * double(data_[v_cache_at].values[value + d]);
    }
    std::copy(sum.begin(), sum.end(), &data_[out_at].values[row]);
  }

 private:
  /// Offset of the cached key or value of one token and head.
  size_t cached(int64_t sequence, int64_t position, int64_t kv_head) const {
    const size_t slot = size_t(sequence * s_.pages_per_sequence() + position / kPageTokens);
    const int64_t page = data_[page_table_at].indices[slot];
    return size_t(((page * s_.kv_heads + kv_head) * kPageTokens + position % kPageTokens) * s_.head_dim);
  }

  const AttentionShape& s_;
  std::vector<HostOperand>& data_;
};

}  // namespace

void attention_reference(const AttentionShape& shape, std::vector<HostOperand>& data) {
  PagedReference reference(shape, data);
  reference.write_new_tokens();
  for (int64_t sequence = 0; sequence < shape.batch; ++sequence)
    for (int64_t token = 0; token < shape.isl; ++token)
      for (int64_t head = 0; head < shape.heads; ++head) reference.attend(sequence, token, head);
}

}  // namespace perfatlas
