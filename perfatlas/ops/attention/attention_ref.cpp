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

  /// The cached row of `operand`.
  AttentionRow row_of(AttentionOperand operand) const {
    return [this, operand](int64_t sequence, int64_t position, int64_t kv_head) {
      return &data_[operand].values[cached(sequence, position, kv_head)];
    };
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

/// The result row of one token and query head.
void attend(const AttentionShape& s, const float* q, const std::function<const float*(int64_t)>& key,
            const std::function<const float*(int64_t)>& value, int64_t position, float* out) {
  const int64_t first = s.first_visible(position), last = s.last_visible(position);
  std::vector<double> weights;
  for (int64_t at = first; at < last; ++at) {
    const float* row = key(at);
    double score = 0;
    for (int64_t d = 0; d < s.head_dim; ++d) score += double(q[d]) * double(row[d]);
    weights.push_back(score * s.score_scale());
  }
  const double largest = *std::max_element(weights.begin(), weights.end());
  double total = 0;
  for (double& weight : weights) total += weight = std::exp(weight - largest);
  std::vector<double> sum(size_t(s.value_width()), 0.0);
  for (int64_t at = first; at < last; ++at) {
    const float* row = value(at);
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += weights[size_t(at - first)] / total * double(row[d]);
  }
  std::copy(sum.begin(), sum.end(), out);
}

}  // namespace

void attention_reference(const AttentionShape& shape, std::vector<HostOperand>& data) {
  PagedReference reference(shape, data);
  reference.write_new_tokens();
  attention_rows_reference(shape, data[q_at].values, reference.row_of(k_cache_at),
                           reference.row_of(v_cache_at), data[out_at].values);
}

void attention_rows_reference(const AttentionShape& shape, std::span<const float> q, const AttentionRow& key,
                              const AttentionRow& value, std::span<float> out) {
  for (int64_t sequence = 0; sequence < shape.batch; ++sequence)
    for (int64_t token = 0; token < shape.isl; ++token)
      for (int64_t head = 0; head < shape.heads; ++head) {
        const int64_t row = (sequence * shape.isl + token) * shape.heads + head;
        const int64_t kv_head = head / shape.group();
        attend(
            shape, &q[size_t(row * shape.head_dim)], [&](int64_t at) { return key(sequence, at, kv_head); },
            [&](int64_t at) { return value(sequence, at, kv_head); }, shape.step + token,
            &out[size_t(row * shape.value_width())]);
      }
}

}  // namespace perfatlas
