// SPDX-License-Identifier: Apache-2.0
// One query token against one page of the cache, in AVX-512: what decode attention consists of.
// REQUIRES everywhere: AVX-512 (with bf16 for Bf16); head_dim a multiple of 16 up to 256.
#pragma once

#include "perfatlas/ops/attention/attention_cpu.h"

namespace perfatlas {

/// The query heads that share one key/value head.
struct PageShape {
  int64_t heads = 1;
  int64_t head_dim = 128;
  /// Elements of one row of running sums. Its column order is private to add_page_values and store_sums.
  int64_t sum_stride() const { return (head_dim + 31) / 32 * 32; }
};

/// scores[heads, 64] = q[heads, head_dim] keys[64, head_dim]^T, unscaled.
void page_scores(const PageShape& shape, const float* q, const float* keys, float* scores);
void page_scores(const PageShape& shape, const Bf16* q, const Bf16* keys, float* scores);

/// sums[heads, sum_stride] += weights[heads, 64] values[64, head_dim].
void add_page_values(const PageShape& shape, const float* weights, const float* values, float* sums);
void add_page_values(const PageShape& shape, const Bf16* weights, const Bf16* values, float* sums);

/// out[head_dim] = factor * one row of sums.
void store_sums(const PageShape& shape, const float* sums, float factor, float* out);
void store_sums(const PageShape& shape, const float* sums, float factor, Bf16* out);

}  // namespace perfatlas
