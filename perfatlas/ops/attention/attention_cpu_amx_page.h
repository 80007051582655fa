// SPDX-License-Identifier: Apache-2.0
// Decode attention against one page in AMX tiles. Keys and values are multiplied as they lie in the cache:
//   scores^T[token, head] = keys[token, :] q^T, keys being the left operand;
//   sums[head, 2n] = weights0[head, :] values and sums[head, 2n + 1] = weights1[head, :] values. The right operand
//   holds pairs, which here are neighbours within a row of values, and weights0 (weights1) has zeros for the second
//   (first) of each pair. That wastes half the products, but not one instruction rearranges keys or values.
// An infinite value makes its neighbour within the pair a NaN, because zero times infinity is none.
#pragma once

#include "perfatlas/ops/attention/attention_cpu_page_step.h"
#include "perfatlas/ops/attention/attention_cpu_tiles.h"

namespace perfatlas {

/// A way to compute pages (attention_cpu_page_step.h). REQUIRES: AMX and AVX-512 with bf16; head_dim a multiple of 32
/// up to 256.
class AmxPages {
 public:
  using Element = Bf16;
  using Session = FullTiles;

  explicit AmxPages(const PageShape& shape) : shape_(shape) {}

  size_t sum_floats() const { return size_t(value_blocks() * dim_blocks() * kTileRows * kTileWords); }
  size_t scratch_bytes() const;
  void begin(const Bf16* q, std::byte* scratch) const;
  void add_page(const PageStep<Bf16>& step, const RunningSums& running, std::byte* scratch) const;
  void scale(float* sums, int64_t head, float factor) const;
  void store(const float* sums, int64_t head, float factor, Bf16* out) const;

 private:
  /// Heads whose scores one tile holds, and whose sums one tile holds.
  static constexpr int64_t kScoreHeads = 16, kValueHeads = 8;

  int64_t dim_blocks() const { return shape_.head_dim / 32; }
  int64_t score_blocks() const { return (shape_.heads + kScoreHeads - 1) / kScoreHeads; }
  int64_t value_blocks() const { return (shape_.heads + kValueHeads - 1) / kValueHeads; }
  /// The tile rows of one query head's even columns; those of the odd ones lie kValueHeads rows further on.
  size_t sum_row(int64_t head, int64_t dim_block) const {
    return size_t((head / kValueHeads * dim_blocks() + dim_block) * kTileRows + head % kValueHeads) *
           kTileWords;
  }

  PageShape shape_;
};

}  // namespace perfatlas
