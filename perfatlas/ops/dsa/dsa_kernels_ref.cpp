// SPDX-License-Identifier: Apache-2.0
// Naive scores, selection and sparse attention in double precision; judge every kernel's numbers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "perfatlas/ops/dsa/dsa_attention.h"
#include "perfatlas/ops/dsa/dsa_mqa_logits.h"
#include "perfatlas/ops/dsa/dsa_reference.h"
#include "perfatlas/ops/dsa/dsa_topk.h"

namespace perfatlas {

double dsa_score(const DsaShape& s, const float* q, const float* weights, const float* key) {
  const auto heads = size_t(s.geometry.index_heads), width = size_t(s.geometry.index_dim);
  double score = 0;
  for (size_t head = 0; head < heads; ++head) {
    double product = 0;
    for (size_t d = 0; d < width; ++d) product += double(q[head * width + d]) * double(key[d]);
    score += double(weights[head]) * std::max(product, 0.0);
  }
  return score;
}

std::vector<int32_t> dsa_largest(const std::vector<double>& scores, size_t count) {
  std::vector<int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return scores[size_t(a)] > scores[size_t(b)]; });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

namespace {

bool is_acceptable(const std::vector<double>& scores, size_t count, double threshold,
                   std::span<const int32_t> row) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (i >= count) {
      if (row[i] != -1) return false;
      continue;
    }
    if (row[i] < 0 || size_t(row[i]) >= scores.size()) return false;
    if (i > 0 && row[i] <= row[i - 1]) return false;
    if (scores[size_t(row[i])] < threshold) return false;
  }
  return true;
}

}  // namespace

void dsa_keep_or_choose(const std::vector<double>& scores, double slack, std::span<int32_t> row) {
  const std::vector<int32_t> best = dsa_largest(scores, row.size());
  double smallest = std::numeric_limits<double>::infinity(), squares = 0;
  for (const int32_t position : best) smallest = std::min(smallest, scores[size_t(position)]);
  for (const double score : scores) squares += score * score;
  const double threshold = smallest - slack * std::sqrt(squares / double(scores.size()));
  if (is_acceptable(scores, best.size(), threshold, row)) return;
  std::fill(std::copy(best.begin(), best.end(), row.begin()), row.end(), -1);
}

void dsa_attend(const DsaShape& s, const float* q, std::span<const int32_t> positions,
                const std::function<const float*(int64_t position)>& cached, float* out) {
  const auto width = size_t(s.geometry.latent()), values = size_t(s.geometry.kv_lora);
  std::vector<double> weights;
  for (const int32_t position : positions) {
    double score = 0;
    for (size_t d = 0; d < width; ++d) score += double(q[d]) * double(cached(position)[d]);
    weights.push_back(score / std::sqrt(double(s.geometry.head())));
  }
  const double largest = *std::max_element(weights.begin(), weights.end());
  double total = 0;
  for (double& weight : weights) total += weight = std::exp(weight - largest);
  std::vector<double> sum(values, 0.0);
  for (size_t i = 0; i < weights.size(); ++i)
    for (size_t d = 0; d < values; ++d) sum[d] += weights[i] / total * double(cached(positions[i])[d]);
  std::copy(sum.begin(), sum.end(), out);
}

size_t dsa_cached_at(const DsaShape& s, const std::vector<int32_t>& page_table, int64_t sequence,
                     int64_t position, int64_t width) {
  const size_t slot = size_t(sequence * s.pages_per_sequence() + position / kPageTokens);
  return size_t((page_table[slot] * kPageTokens + position % kPageTokens) * width);
}

void DsaMqaLogits::reference(std::vector<HostOperand>& data) const {
  const DsaShape s = shape();
  const MlaGeometry& g = s.geometry;
  for (int64_t token = 0; token < s.tokens(); ++token)
    for (int64_t at = 0; at < s.context_tokens(); ++at) {
      float& logit = data[logits_out_at].values[size_t(token * s.context_tokens() + at)];
      logit = 0;
      if (at >= s.visible(token % isl)) continue;
      const size_t key = dsa_cached_at(s, data[logits_page_table_at].indices, token / isl, at, g.index_dim);
      logit = float(dsa_score(s, &data[logits_q_at].values[size_t(token * g.index_heads * g.index_dim)],
                              &data[logits_weights_at].values[size_t(token * g.index_heads)],
                              &data[logits_cache_at].values[key]));
    }
}

void DsaTopk::reference(std::vector<HostOperand>& data) const {
  const DsaShape s = shape();
  const auto most = size_t(s.geometry.topk);
  for (int64_t token = 0; token < s.tokens(); ++token) {
    const auto row = data[0].values.begin() + token * s.context_tokens();
    const std::vector<double> scores(row, row + s.visible(token % isl));
    const std::vector<int32_t> chosen = dsa_largest(scores, most);
    const auto to = data[1].indices.begin() + token * s.geometry.topk;
    std::fill(std::copy(chosen.begin(), chosen.end(), to), to + s.geometry.topk, -1);
  }
}

void DsaAttention::reference(std::vector<HostOperand>& data) const {
  const DsaShape s = shape();
  const MlaGeometry& g = s.geometry;
  for (int64_t token = 0; token < s.tokens(); ++token) {
    const int32_t* row = &data[dsa_selected_at].indices[size_t(token * g.topk)];
    const std::span<const int32_t> positions(row, size_t(std::find(row, row + g.topk, -1) - row));
    const auto cached = [&](int64_t position) {
      return &data[dsa_cache_at].values[dsa_cached_at(s, data[dsa_page_table_at].indices, token / isl,
                                                      position, g.latent())];
    };
    for (int64_t head = 0; head < heads; ++head)
      dsa_attend(s, &data[dsa_q_at].values[size_t((token * heads + head) * g.latent())], positions, cached,
                 &data[dsa_out_at].values[size_t((token * heads + head) * g.kv_lora)]);
  }
}

}  // namespace perfatlas
