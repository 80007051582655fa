// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla/mla_aic_sol.h"

namespace perfatlas::aic {
namespace {

constexpr double kQueryAndValue = 192 + 128;
constexpr double kAbsorbed = 512 + 64 + 512;
constexpr double kCached = 512 + 64;
constexpr double kExpansion = 128 * 512;  // a head's matrix between a head and the latent space

}  // namespace

SolParts mla_context_sol(const MlaPeaks& peaks, int64_t b_, int64_t n_, int64_t full_, int64_t prefix) {
  const double b = double(b_), n = double(n_), full = double(full_), p = double(prefix);
  const double operations = b * n * kQueryAndValue * (full * full - p * p);
  const double bytes = b * n * (peaks.kv_bytes * full * kQueryAndValue + 2 * (full - p) * kQueryAndValue);
  return {operations / peaks.flops * 1e3, bytes / peaks.bandwidth * 1e3};
}

SolParts MlaGenerationSol::parts(int64_t b_, int64_t n_, int64_t s_) const {
  const double b = double(b_), n = double(n_), s = double(s_);
  SolParts sol{2 * b * n * kAbsorbed * s / peaks.flops * 1e3,
               b * (n * kAbsorbed * 2 + (s - 1) * kCached * peaks.kv_bytes) / peaks.bandwidth * 1e3};
  if (projection_flops > 0) {
    sol.math_ms += 4 * b * n * kExpansion / projection_flops * 1e3;
    sol.memory_ms += 2 * n * ((128 + 512) * b + kExpansion) * projection_bytes / peaks.bandwidth * 1e3;
  }
  return sol;
}

}  // namespace perfatlas::aic
