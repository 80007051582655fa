// SPDX-License-Identifier: Apache-2.0
// Speed of light of a whole DeepSeek-V4 attention block.
#pragma once

#include <cstdint>

#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

struct Dsv4Sol {
  Dsv4Attention op;
  double gemm_flops = 1, bf16_flops = 1, fp8_flops = 1, attention_flops = 1, bandwidth = 1;
  double decode_bytes = 2;  // per element that decode attention computes with

  SolParts context(int64_t b, int64_t s, int64_t prefix) const;
  SolParts generation(int64_t b, int64_t s) const;

 private:
  /// t new tokens of b sequences that hold kv tokens; pairs of one head; bytes per rotated element of the queries.
  SolParts parts(double b, double t, double kv, double pairs, double rotated_bytes) const;
};

}  // namespace perfatlas::aic
