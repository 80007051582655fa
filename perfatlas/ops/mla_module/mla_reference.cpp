// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_reference.h"

#include <algorithm>
#include <cmath>

namespace perfatlas {

float rounded(double value, DType type) {
  if (type == DType::f32 || value == 0) return float(value);
  const int mantissa_bits = type == DType::bf16 ? 8 : 11;  // with the leading one
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  return float(std::ldexp(std::nearbyint(std::ldexp(fraction, mantissa_bits)), exponent - mantissa_bits));
}

double mla_dot(const float* a, const float* b, int64_t width) {
  double sum = 0;
  for (int64_t i = 0; i < width; ++i) sum += double(a[i]) * double(b[i]);
  return sum;
}

MlaRows MlaRows::part(int64_t first, int64_t columns) const {
  MlaRows taken{columns, {}};
  for (int64_t i = 0; i < count(); ++i)
    taken.values.insert(taken.values.end(), row(i) + first, row(i) + first + columns);
  return taken;
}

MlaRows mla_linear(const MlaRows& x, const std::vector<float>& w, DType type) {
  const int64_t n = int64_t(w.size()) / x.width;
  MlaRows y{n, {}};
  for (int64_t i = 0; i < x.count(); ++i)
    for (int64_t column = 0; column < n; ++column)
      y.values.push_back(rounded(mla_dot(x.row(i), &w[size_t(column * x.width)], x.width), type));
  return y;
}

MlaRows mla_rms_norm(const MlaRows& x, const std::vector<float>& w, DType type) {
  MlaRows y = x;
  for (int64_t i = 0; i < x.count(); ++i) {
    const double scale = 1 / std::sqrt(mla_dot(x.row(i), x.row(i), x.width) / double(x.width) + 1e-6);
    for (int64_t d = 0; d < x.width; ++d)
      y.row(i)[d] = rounded(double(x.row(i)[d]) * scale * double(w[size_t(d)]), type);
  }
  return y;
}

void mla_rotate(const MlaModuleCase& c, const std::vector<float>& cos_sin, int64_t group, int64_t offset,
                DType type, MlaRows& x) {
  const int64_t rope = c.geometry().rope, pairs = rope / 2;
  for (int64_t token = 0; token < x.count(); ++token) {
    const float* angles = &cos_sin[size_t(token % c.isl * rope)];
    for (int64_t first = offset; first < x.width; first += group)
      for (int64_t pair = 0; pair < pairs; ++pair) {
        float& low = x.row(token)[first + pair];
        float& high = x.row(token)[first + pair + pairs];
        const double a = low, b = high, cosine = angles[pair], sine = angles[pairs + pair];
        low = rounded(a * cosine - b * sine, type);
        high = rounded(b * cosine + a * sine, type);
      }
  }
}

size_t mla_cached_at(const MlaModuleCase& c, const std::vector<int32_t>& page_table, int64_t sequence,
                     int64_t position, int64_t width) {
  const size_t slot = size_t(sequence * c.pages_per_sequence() + position / kPageTokens);
  return size_t((page_table[slot] * kPageTokens + position % kPageTokens) * width);
}

void mla_store(const MlaModuleCase& c, const std::vector<const MlaRows*>& parts,
               const std::vector<int32_t>& page_table, std::vector<float>& cache) {
  int64_t width = 0;
  for (const MlaRows* part : parts) width += part->width;
  for (int64_t token = 0; token < c.tokens(); ++token) {
    size_t at = mla_cached_at(c, page_table, token / c.isl, c.step + token % c.isl, width);
    for (const MlaRows* part : parts) {
      std::copy_n(part->row(token), part->width, &cache[at]);
      at += size_t(part->width);
    }
  }
}

MlaRows mla_absorb(const MlaModuleCase& c, const MlaRows& q, const std::vector<float>& w_uk) {
  const MlaGeometry& g = c.geometry();
  MlaRows absorbed{c.heads * g.latent(), {}};
  std::vector<double> sums(size_t(g.kv_lora));
  for (int64_t token = 0; token < q.count(); ++token)
    for (int64_t head = 0; head < c.heads; ++head) {
      const float* from = q.row(token) + head * g.head();
      std::fill(sums.begin(), sums.end(), 0.0);
      for (int64_t d = 0; d < g.nope; ++d)
        for (int64_t j = 0; j < g.kv_lora; ++j)
          sums[size_t(j)] += double(from[d]) * double(w_uk[size_t((head * g.nope + d) * g.kv_lora + j)]);
      for (const double sum : sums) absorbed.values.push_back(rounded(sum, c.activation()));
      absorbed.values.insert(absorbed.values.end(), from + g.nope, from + g.head());
    }
  return absorbed;
}

MlaRows mla_expand(const MlaModuleCase& c, const MlaRows& latents, const std::vector<float>& w_uv) {
  const MlaGeometry& g = c.geometry();
  MlaRows values{c.heads * g.v, {}};
  std::vector<double> sums(size_t(g.v));
  for (int64_t token = 0; token < latents.count(); ++token)
    for (int64_t head = 0; head < c.heads; ++head) {
      const float* from = latents.row(token) + head * g.kv_lora;
      std::fill(sums.begin(), sums.end(), 0.0);
      for (int64_t j = 0; j < g.kv_lora; ++j)
        for (int64_t d = 0; d < g.v; ++d)
          sums[size_t(d)] += double(from[j]) * double(w_uv[size_t((head * g.kv_lora + j) * g.v + d)]);
      for (const double sum : sums) values.values.push_back(rounded(sum, c.activation()));
    }
  return values;
}

std::vector<double> mla_softmax(const MlaModuleCase& c, std::vector<double> scores) {
  const double scale = 1 / std::sqrt(double(c.geometry().head()));
  const double largest = *std::max_element(scores.begin(), scores.end());
  double total = 0;
  for (double& score : scores) total += score = std::exp((score - largest) * scale);
  for (double& score : scores) score /= total;
  return scores;
}

}  // namespace perfatlas
