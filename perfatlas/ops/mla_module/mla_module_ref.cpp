// SPDX-License-Identifier: Apache-2.0
// Naive dense blocks; judge every kernel's numbers.
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/mla_module/mla_reference.h"

namespace perfatlas {
namespace {

/// What both blocks do before attention: returns the rotated queries[tokens, heads*head()], and writes the cache.
MlaRows project_and_store(const MlaModuleCase& c, std::vector<HostOperand>& data) {
  const MlaGeometry& g = c.geometry();
  const DType type = c.activation();
  const std::vector<float>& cos_sin = data[mla_cos_sin_at].values;
  const MlaRows down = mla_linear({g.hidden, data[mla_x_at].values}, data[mla_w_down_at].values, type);
  const MlaRows q_latent = mla_rms_norm(down.part(0, g.q_lora), data[mla_q_norm_at].values, type);
  const MlaRows latent = mla_rms_norm(down.part(g.q_lora, g.kv_lora), data[mla_kv_norm_at].values, type);
  MlaRows key = down.part(g.q_lora + g.kv_lora, g.rope);
  MlaRows q = mla_linear(q_latent, data[mla_w_q_at].values, type);
  mla_rotate(c, cos_sin, g.head(), g.nope, type, q);
  mla_rotate(c, cos_sin, g.rope, 0, type, key);
  mla_store(c, {&latent, &key}, data[mla_page_table_at].indices, data[mla_cache_at].values);
  return q;
}

/// The cached tokens of one sequence, in order.
MlaRows cached_rows(const MlaModuleCase& c, const std::vector<HostOperand>& data, int64_t sequence) {
  const int64_t width = c.geometry().latent();
  MlaRows rows{width, {}};
  for (int64_t position = 0; position < c.context_tokens(); ++position) {
    const size_t at = mla_cached_at(c, data[mla_page_table_at].indices, sequence, position, width);
    const auto first = data[mla_cache_at].values.begin() + ptrdiff_t(at);
    rows.values.insert(rows.values.end(), first, first + width);
  }
  return rows;
}

void project_out(const MlaModuleCase& c, const MlaRows& values, size_t out_at,
                 std::vector<HostOperand>& data) {
  data[out_at].values = mla_linear(values, data[mla_w_out_at].values, c.activation()).values;
}

/// One head of one token with expanded keys and values: kv[positions, heads*(nope + v)].
void attend_expanded(const MlaModuleCase& c, const float* q, int64_t head, const MlaRows& kv,
                     const MlaRows& cached, int64_t visible, float* out) {
  const MlaGeometry& g = c.geometry();
  const int64_t column = head * (g.nope + g.v);
  std::vector<double> weights;
  for (int64_t at = 0; at < visible; ++at)
    weights.push_back(mla_dot(q, kv.row(at) + column, g.nope) +
                      mla_dot(q + g.nope, cached.row(at) + g.kv_lora, g.rope));
  weights = mla_softmax(c, weights);
  for (int64_t d = 0; d < g.v; ++d) {
    double sum = 0;
    for (int64_t at = 0; at < visible; ++at)
      sum += weights[size_t(at)] * double(kv.row(at)[column + g.nope + d]);
    out[d] = rounded(sum, c.activation());
  }
}

/// One head of one token against the latents themselves.
void attend_absorbed(const MlaModuleCase& c, const float* q, const MlaRows& cached, float* out) {
  const MlaGeometry& g = c.geometry();
  std::vector<double> weights;
  for (int64_t at = 0; at < cached.count(); ++at) weights.push_back(mla_dot(q, cached.row(at), g.latent()));
  weights = mla_softmax(c, weights);
  for (int64_t d = 0; d < g.kv_lora; ++d) {
    double sum = 0;
    for (int64_t at = 0; at < cached.count(); ++at) sum += weights[size_t(at)] * double(cached.row(at)[d]);
    out[d] = rounded(sum, c.activation());
  }
}

}  // namespace

void MlaContextModule::reference(std::vector<HostOperand>& data) const {
  const MlaGeometry& g = geometry();
  const MlaRows q = project_and_store(*this, data);
  MlaRows values{heads * g.v, std::vector<float>(size_t(tokens() * heads * g.v))};
  for (int64_t sequence = 0; sequence < batch; ++sequence) {
    const MlaRows cached = cached_rows(*this, data, sequence);
    const MlaRows kv = mla_linear(cached.part(0, g.kv_lora), data[mla_w_kv_at].values, activation());
    for (int64_t i = 0; i < isl; ++i)
      for (int64_t head = 0; head < heads; ++head) {
        const int64_t token = sequence * isl + i;
        attend_expanded(*this, q.row(token) + head * g.head(), head, kv, cached, step + i + 1,
                        values.row(token) + head * g.v);
      }
  }
  project_out(*this, values, mla_context_out_at, data);
}

void MlaGenerationModule::reference(std::vector<HostOperand>& data) const {
  const MlaGeometry& g = geometry();
  const MlaRows q = mla_absorb(*this, project_and_store(*this, data), data[mla_w_uk_at].values);
  MlaRows latents{heads * g.kv_lora, std::vector<float>(size_t(batch * heads * g.kv_lora))};
  for (int64_t sequence = 0; sequence < batch; ++sequence) {
    const MlaRows cached = cached_rows(*this, data, sequence);
    for (int64_t head = 0; head < heads; ++head)
      attend_absorbed(*this, q.row(sequence) + head * g.latent(), cached,
                      latents.row(sequence) + head * g.kv_lora);
  }
  project_out(*this, mla_expand(*this, latents, data[mla_w_uv_at].values), mla_generation_out_at, data);
}

}  // namespace perfatlas
