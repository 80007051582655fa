// SPDX-License-Identifier: Apache-2.0
// Naive sparse block; judges every kernel's numbers.
#include <algorithm>
#include <cmath>

#include "perfatlas/ops/dsa/dsa_module.h"
#include "perfatlas/ops/dsa/dsa_reference.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/mla_module/mla_reference.h"

namespace perfatlas {
namespace {

/// How far below the topk-th largest score a chosen one may lie, in root mean squares of the token's scores: what a few
/// roundings of the activation type do to a sum of products (8 bits of mantissa in bf16, 24 in f32).
double score_slack(DType type) { return type == DType::f32 ? 1e-4 : type == DType::f16 ? 1e-2 : 5e-2; }

MlaRows layer_norm(const MlaRows& x, const std::vector<float>& scale, const std::vector<float>& shift,
                   DType type) {
  MlaRows y = x;
  for (int64_t i = 0; i < x.count(); ++i) {
    double mean = 0, squares = 0;
    for (int64_t d = 0; d < x.width; ++d) mean += double(x.row(i)[d]) / double(x.width);
    for (int64_t d = 0; d < x.width; ++d) squares += std::pow(double(x.row(i)[d]) - mean, 2);
    const double factor = 1 / std::sqrt(squares / double(x.width) + 1e-6);
    for (int64_t d = 0; d < x.width; ++d)
      y.row(i)[d] = rounded(
          (double(x.row(i)[d]) - mean) * factor * double(scale[size_t(d)]) + double(shift[size_t(d)]), type);
  }
  return y;
}

class SparseBlock {
 public:
  SparseBlock(const MlaModuleCase& c, std::vector<HostOperand>& data)
      : c_(c), s_(dsa_shape_of(c)), data_(data) {}

  void run(DsaIndexer indexer) {
    const MlaGeometry& g = s_.geometry;
    const DType type = c_.activation();
    const MlaRows x{g.hidden, values(mla_x_at)};
    const MlaRows down = mla_linear(x, values(mla_w_down_at), type);
    const MlaRows q_latent = mla_rms_norm(down.part(0, g.q_lora), values(mla_q_norm_at), type);
    const MlaRows latent = mla_rms_norm(down.part(g.q_lora, g.kv_lora), values(mla_kv_norm_at), type);
    MlaRows key = down.part(g.q_lora + g.kv_lora, g.rope);
    MlaRows q = mla_linear(q_latent, values(mla_w_q_at), type);
    mla_rotate(c_, values(mla_cos_sin_at), g.head(), g.nope, type, q);
    mla_rotate(c_, values(mla_cos_sin_at), g.rope, 0, type, key);
    mla_store(c_, {&latent, &key}, pages(), values(mla_cache_at));
    if (indexer == DsaIndexer::own) choose(x, q_latent, down.part(g.q_lora + g.latent(), g.index_dim));
    attend(mla_absorb(c_, q, values(dsa_w_uk_at)));
  }

 private:
  std::vector<float>& values(size_t at) { return data_[at].values; }
  const std::vector<int32_t>& pages() { return data_[mla_page_table_at].indices; }

  void choose(const MlaRows& x, const MlaRows& q_latent, const MlaRows& key_row) {
    const MlaGeometry& g = s_.geometry;
    const DType type = c_.activation();
    MlaRows q = mla_linear(q_latent, values(dsa_w_index_q_at), type);
    MlaRows key = layer_norm(key_row, values(dsa_index_scale_at), values(dsa_index_shift_at), type);
    mla_rotate(c_, values(mla_cos_sin_at), g.index_dim, 0, type, q);
    mla_rotate(c_, values(mla_cos_sin_at), g.index_dim, 0, type, key);
    mla_store(c_, {&key}, pages(), values(dsa_index_cache_at));
    const MlaRows weights = mla_linear(x, values(dsa_w_index_head_at), type);
    for (int64_t token = 0; token < s_.tokens(); ++token) {
      std::vector<double> scores(size_t(s_.visible(token % s_.isl)));
      if (s_.selects())
        for (size_t at = 0; at < scores.size(); ++at) {
          const size_t cached = dsa_cached_at(s_, pages(), token / s_.isl, int64_t(at), g.index_dim);
          scores[at] = dsa_score(s_, q.row(token), weights.row(token), &values(dsa_index_cache_at)[cached]);
        }
      dsa_keep_or_choose(scores, score_slack(type),
                         {&data_[dsa_module_selected_at].indices[size_t(token * g.topk)], size_t(g.topk)});
    }
  }

  void attend(const MlaRows& q) {
    const MlaGeometry& g = s_.geometry;
    MlaRows latents{c_.heads * g.kv_lora, std::vector<float>(size_t(s_.tokens() * c_.heads * g.kv_lora))};
    for (int64_t token = 0; token < s_.tokens(); ++token) {
      const auto row = data_[dsa_module_selected_at].indices.begin() + token * g.topk;
      const std::span<const int32_t> chosen(row, std::find(row, row + g.topk, -1));
      const auto cached = [&](int64_t position) {
        return &values(mla_cache_at)[dsa_cached_at(s_, pages(), token / s_.isl, position, g.latent())];
      };
      for (int64_t head = 0; head < c_.heads; ++head)
        dsa_attend(s_, q.row(token) + head * g.latent(), chosen, cached,
                   latents.row(token) + head * g.kv_lora);
    }
    for (float& value : latents.values) value = rounded(value, c_.activation());
    const MlaRows heads = mla_expand(c_, latents, values(dsa_w_uv_at));
    values(dsa_module_out_at) = mla_linear(heads, values(mla_w_out_at), c_.activation()).values;
  }

  const MlaModuleCase& c_;
  DsaShape s_;
  std::vector<HostOperand>& data_;
};

}  // namespace

void dsa_module_reference(const MlaModuleCase& c, DsaIndexer indexer, std::vector<HostOperand>& data) {
  SparseBlock(c, data).run(indexer);
}

}  // namespace perfatlas
