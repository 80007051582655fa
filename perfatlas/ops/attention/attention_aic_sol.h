// SPDX-License-Identifier: Apache-2.0
// Speeds of light of attention, and what head sizes usually reach.
#pragma once

#include <cstdint>
#include <string_view>

#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Heads of this rank; n_kv 0: as many as n.
struct AttentionHeads {
  int64_t n = 0, n_kv = 0, head_size = 0, window = 0;
};

/// Peaks and element sizes.
struct AttentionPeaks {
  double flops = 1, bandwidth = 1;
  double kv_bytes = 2;
};

/// b sequences, `full` tokens with `prefix` of them cached. Operations: 2 b (full^2 - prefix^2) n h, or with a window
/// that is shorter than full 4 b (full - prefix) w n h. Bytes: queries and outputs at 16 bits, keys and values of
/// `full`.
SolParts context_attention_sol(const AttentionHeads& heads, const AttentionPeaks& peaks, int64_t b,
                               int64_t full, int64_t prefix);

/// One token of b sequences that are s long with it: L = min(s - 1, window) cached tokens.
SolParts generation_attention_sol(const AttentionHeads& heads, const AttentionPeaks& peaks, int64_t b,
                                  int64_t s);

/// What prefill kernels of a serving framework reach at a head size, relative to 128: only ratios count. Linear in
/// octaves, flat outside 64 to 512.
double usual_prefill_efficiency(std::string_view backend, int64_t head_size);

}  // namespace perfatlas::aic
