// SPDX-License-Identifier: Apache-2.0
// Speeds of light of latent attention with the sizes of DeepSeek-V3: 192 query and key elements and 128 values per
// head, 512 latent and 64 rotated elements in the cache.
#pragma once

#include <cstdint>

#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

struct MlaPeaks {
  double flops = 1, bandwidth = 1;  // per second
  double kv_bytes = 2;              // per element
};

/// Expanded keys and values: b n 320 (full^2 - prefix^2) operations; keys and values of `full` tokens, queries and
/// outputs of the new ones.
SolParts mla_context_sol(const MlaPeaks& peaks, int64_t b, int64_t n, int64_t full, int64_t prefix);

/// Absorbed queries: 2 b n 1088 s operations on s cached tokens.
struct MlaGenerationSol {
  MlaPeaks peaks;
  double projection_flops = 0;  // of the products around the attention, in whole blocks; 0: attention alone
  double projection_bytes = 0;  // per element of them
  SolParts parts(int64_t b, int64_t n, int64_t s) const;
};

}  // namespace perfatlas::aic
