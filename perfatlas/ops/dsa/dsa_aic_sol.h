// SPDX-License-Identifier: Apache-2.0
// Speed of light of a whole sparse attention block (DSA).
#pragma once

#include <cstdint>
#include <string_view>

#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

struct DsaSizes {
  double hidden, q_lora, kv_lora, nope, rope, v, topk, index_dim, index_heads;
};

/// DeepSeek-V3.2 (also for architectures that are not known) or GLM-5.
const DsaSizes& dsa_sizes(std::string_view architecture);

/// Query-key pairs of b sequences whose s new tokens, after p cached ones, see at most `limit` tokens each.
double limited_pairs(double b, double s, double p, double limit);

struct DsaSol {
  DsaSizes sizes{};
  double gemm_flops = 1, gemm_bytes = 2;  // of all projections
  double fp8_flops = 1, attention_flops = 1, bandwidth = 1;
  double kv_bytes = 2, fmha_bytes = 2;
  /// Blocks without an indexer are counted with its projections, and in generation with its scan of the keys, too, as
  /// aiconfigurator 0.12 does; only in context the scan is left out.
  bool with_indexer = true;

  SolParts context(int64_t b, int64_t n, int64_t s, int64_t prefix) const;
  SolParts generation(int64_t b, int64_t n, int64_t s) const;

 private:
  double projections_ms(double t, double n) const;
  double weight_bytes(double n) const;
};

}  // namespace perfatlas::aic
