// SPDX-License-Identifier: Apache-2.0
// The formula of moe.h, token by token and in double precision.
#include <algorithm>
#include <cmath>

#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {
namespace {

/// matrix[rows, depth] * vector, times scale.
std::vector<double> product(const float* matrix, int64_t rows, const std::vector<double>& vector,
                            double scale) {
  std::vector<double> result(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (size_t d = 0; d < vector.size(); ++d)
      sum += double(matrix[size_t(r) * vector.size() + d]) * vector[d];
    result[size_t(r)] = sum * scale;
  }
  return result;
}

double silu(double x) { return x / (1 + std::exp(-x)); }

/// To 8-bit integers with one scale per vector, and back.
std::vector<double> through_int8(std::vector<double> vector) {
  double largest = 0;
  for (const double v : vector) largest = std::max(largest, std::abs(v));
  if (largest == 0) return vector;
  const double scale = largest / 127;
  for (double& v : vector) v = std::nearbyint(v / scale) * scale;
  return vector;
}

class ReferenceExperts {
 public:
  ReferenceExperts(const Moe& op, const std::vector<HostOperand>& data)
      : op_(op), w13_(data[moe_w13_at].values.data()), w2_(data[moe_w2_at].values.data()) {
    integers_ = traits_of(op.dtype).activation == DType::int8;
    if (traits_of(op.dtype).weight != DType::int8) return;
    scale13_ = Moe::int8_weight_scale(op.hidden);
    scale2_ = Moe::int8_weight_scale(op.local_inter());
  }

  std::vector<double> apply(int64_t expert, std::vector<double> x) const {
    const int64_t inter = op_.local_inter(), part = inter * op_.hidden;
    const float* in = w13_ + expert * op_.in_matrices() * part;
    if (integers_) x = through_int8(x);
    std::vector<double> middle = product(in, inter, x, scale13_);
    if (op_.gated) {
      const std::vector<double> up = product(in + part, inter, x, scale13_);
      for (size_t i = 0; i < up.size(); ++i) middle[i] = silu(middle[i]) * up[i];
    } else {
      for (double& m : middle) m = std::pow(std::max(m, 0.0), 2);
    }
    if (integers_) middle = through_int8(middle);
    return product(w2_ + expert * part, op_.hidden, middle, scale2_);
  }

 private:
  const Moe& op_;
  const float* w13_;
  const float* w2_;
  bool integers_ = false;
  double scale13_ = 1, scale2_ = 1;
};

}  // namespace

void Moe::reference(std::vector<HostOperand>& data) const {
  const ReferenceExperts reference_experts(*this, data);
  std::vector<int32_t> chosen(static_cast<size_t>(topk));
  for (int64_t token = 0; token < tokens; ++token) {
    const float* logits = data[moe_logits_at].values.data() + token * experts;
    const float* x = data[moe_x_at].values.data() + token * hidden;
    top_k(logits, experts, topk, chosen.data());
    double total = 0;
    for (const int32_t e : chosen) total += std::exp(double(logits[e]) - logits[chosen[0]]);
    std::vector<double> sum(static_cast<size_t>(hidden));
    for (const int32_t e : chosen) {
      if (e >= local_experts()) continue;
      const double weight = std::exp(double(logits[e]) - logits[chosen[0]]) / total;
      const std::vector<double> y = reference_experts.apply(e, {x, x + hidden});
      for (size_t i = 0; i < y.size(); ++i) sum[i] += weight * y[i];
    }
    std::copy(sum.begin(), sum.end(), data[moe_out_at].values.begin() + token * hidden);
  }
}

}  // namespace perfatlas
