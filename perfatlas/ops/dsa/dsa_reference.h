// SPDX-License-Identifier: Apache-2.0
// The parts of sparse attention in double precision, of which the references of the kernels and of the whole block are
// made.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "perfatlas/ops/dsa/dsa_shape.h"

namespace perfatlas {

/// sum over index heads h of weights[h] * max(q[h] . key, 0); q[index_heads, index_dim].
double dsa_score(const DsaShape& s, const float* q, const float* weights, const float* key);

/// Positions of the `count` largest scores (all, when there are fewer), ascending; of equal scores the lower ones.
std::vector<int32_t> dsa_largest(const std::vector<double>& scores, size_t count);

/// Leaves `row` as it is when it holds as many positions as dsa_largest would choose, ascending, then -1, and every
/// chosen score is at most slack * root mean square of the scores below the smallest one that dsa_largest chooses;
/// otherwise writes what dsa_largest chooses, then -1. The row has as many places as are chosen at most.
void dsa_keep_or_choose(const std::vector<double>& scores, double slack, std::span<int32_t> row);

/// out[kv_lora] of one head of one token: softmax attention of q[kv_lora + rope] to `positions`, where
/// cached(position)[kv_lora + rope] is a cached token. REQUIRES: at least one position.
void dsa_attend(const DsaShape& s, const float* q, std::span<const int32_t> positions,
                const std::function<const float*(int64_t position)>& cached, float* out);

/// Elements before one position of one sequence in a paged cache with `width` elements per token.
size_t dsa_cached_at(const DsaShape& s, const std::vector<int32_t>& page_table, int64_t sequence,
                     int64_t position, int64_t width);

}  // namespace perfatlas
