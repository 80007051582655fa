// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_mla.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, isl (square roots blend linearly), batch in context, times the share of the pairs that are
/// new, and heads, batch, s in generation; of the kernels of attn_backend (flashinfer or fa3), else of trtllm_mla. The
/// speed of light of decode follows from the type of the cache, not from fmha_quant.
std::unique_ptr<const Pricer> bind(const WideEpMla& op, const Binding& binding);

}  // namespace perfatlas::aic
