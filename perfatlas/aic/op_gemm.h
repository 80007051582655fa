// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// A linear layer. m = ceil(floor(tokens / scale_num_tokens) / seq_split).
struct Gemm : OpBase {
  static constexpr OpClasses<1> kClasses{"GEMM"};
  int64_t n = 0, k = 0;
  QuantMode quant = QuantMode::bfloat16;  // a GEMM mode
  int64_t scale_num_tokens = 1;
  int64_t seq_split = 1;             // context-parallel ranks that share the tokens
  bool low_precision_input = false;  // fp8_static: the input is quantised already
  bool below_grid_sol = false;       // Mode::silicon: a shape below the table is priced at its speed of light

  static void fields(auto& op, auto& f) {
    f.required("n", op.n);
    f.required("k", op.k);
    f.required("quant_mode", op.quant, QuantKind::gemm);
    f.optional("scale_num_tokens", op.scale_num_tokens);
    f.optional("seq_split", op.seq_split);
    f.optional("low_precision_input", op.low_precision_input);
    f.optional("below_grid_sol", op.below_grid_sol);
  }
  bool operator==(const Gemm&) const = default;
};

}  // namespace perfatlas::aic
