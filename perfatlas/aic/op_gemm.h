// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// A linear layer. m = ceil(floor(tokens / scale_num_tokens) / seq_split).
struct Gemm : OpBase {
  int64_t n = 0, k = 0;
  QuantMode quant = QuantMode::bfloat16;  // a GEMM mode
  int64_t scale_num_tokens = 1;
  int64_t seq_split = 1;             // context-parallel ranks that share the tokens
  bool low_precision_input = false;  // fp8_static: the input is quantised already
  bool below_grid_sol = false;       // Mode::silicon: a shape below the table is priced at its speed of light
};

}  // namespace perfatlas::aic
