// SPDX-License-Identifier: Apache-2.0
// The softmax step of blocked attention, in AVX-512.
#pragma once

#include "perfatlas/ops/attention/attention_cpu.h"

namespace perfatlas {

/// The running softmax of one query row: exponentials are taken relative to `largest` (scaled to powers of two).
struct SoftmaxRow {
  float largest;  // -infinity before the first visible score
  float total;
};

/// One block of scores of one row. Columns outside [first, last) are not visible.
struct ScoreBlock {
  int64_t columns = 0;  // multiple of 16
  int64_t first = 0, last = 0;
  float scale = 1;  // of scores, times log2(e)
};

/// weights[columns] = exp2(scale*scores - row.largest) for visible columns, 0 elsewhere; updates `row` and returns the
/// factor by which everything summed up before must be multiplied (1 when the largest score did not grow).
/// REQUIRES: AVX-512 (and bf16 for Bf16).
float softmax_block(const float* scores, const ScoreBlock& block, float* weights, SoftmaxRow& row);
float softmax_block(const float* scores, const ScoreBlock& block, Bf16* weights, SoftmaxRow& row);

/// values[count] *= factor. REQUIRES: AVX-512.
void scale_floats(float* values, int64_t count, float factor);

/// to[count] = factor * values, rounded to nearest even. REQUIRES: AVX-512 (and bf16 for Bf16).
void store_scaled(const float* values, int64_t count, float factor, float* to);
void store_scaled(const float* values, int64_t count, float factor, Bf16* to);

}  // namespace perfatlas
