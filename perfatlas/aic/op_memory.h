// SPDX-License-Identifier: Apache-2.0
// Ops whose time is memory traffic alone; they have no tables.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

struct Embedding : OpBase {
  int64_t vocab_size = 0;  // rows on this rank
  int64_t hidden_size = 0;
  QuantMode quant = QuantMode::bfloat16;
  int64_t seq_split = 1;
};

/// Normalisation, activation, residual: bytes_per_token = 2 * inputs + 2 * outputs at 16 bits.
struct ElementWise : OpBase {
  double bytes_per_token = 0;
  int64_t scale_num_tokens = 1;
  int64_t seq_split = 1;
};

}  // namespace perfatlas::aic
