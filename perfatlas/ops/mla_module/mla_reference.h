// SPDX-License-Identifier: Apache-2.0
// The parts of a latent attention block in double precision, of which the references of the dense and the sparse block
// are made. Every part rounds its result to the type in which it is handed to the next.
#pragma once

#include <functional>
#include <vector>

#include "perfatlas/ops/mla_module/mla_module_case.h"

namespace perfatlas {

/// To nearest, ties to even. REQUIRES: f32, f16 or bf16; a normal number of that type, or zero.
float rounded(double value, DType type);

/// Rows of `width` elements, dense.
struct MlaRows {
  int64_t width = 0;
  std::vector<float> values;

  const float* row(int64_t index) const { return &values[size_t(index * width)]; }
  float* row(int64_t index) { return &values[size_t(index * width)]; }
  int64_t count() const { return int64_t(values.size()) / width; }
  /// `columns` of every row from `first` on.
  MlaRows part(int64_t first, int64_t columns) const;
};

/// x w^T; w[n, x.width] dense.
MlaRows mla_linear(const MlaRows& x, const std::vector<float>& w, DType type);

/// x / sqrt(mean(x^2) + 1e-6) * w, row by row.
MlaRows mla_rms_norm(const MlaRows& x, const std::vector<float>& w, DType type);

/// Rotates `rope` elements of every group of `group` elements of each row, from `offset` in the group on: pairs are
/// half of `rope` apart. The row of cos_sin (mla_cos_sin) is that of the token.
void mla_rotate(const MlaModuleCase& c, const std::vector<float>& cos_sin, int64_t group, int64_t offset,
                DType type, MlaRows& x);

/// Elements before one position of one sequence in a paged cache of `width` elements per token.
size_t mla_cached_at(const MlaModuleCase& c, const std::vector<int32_t>& page_table, int64_t sequence,
                     int64_t position, int64_t width);

/// Writes row t of `parts`, one after the other, to the cache position of new token t.
void mla_store(const MlaModuleCase& c, const std::vector<const MlaRows*>& parts,
               const std::vector<int32_t>& page_table, std::vector<float>& cache);

/// Query q[t, heads*head()] of every token in the latent space: per head (q_nope w_uk, q_rope), kv_lora + rope
/// elements.
MlaRows mla_absorb(const MlaModuleCase& c, const MlaRows& q, const std::vector<float>& w_uk);

/// Weighted latents[t, heads*kv_lora] as heads*v elements: per head times w_uv[kv_lora, v].
MlaRows mla_expand(const MlaModuleCase& c, const MlaRows& latents, const std::vector<float>& w_uv);

/// softmax weights of scores that are divided by sqrt(nope + rope).
std::vector<double> mla_softmax(const MlaModuleCase& c, std::vector<double> scores);

double mla_dot(const float* a, const float* b, int64_t width);

}  // namespace perfatlas
