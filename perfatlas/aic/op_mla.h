// SPDX-License-Identifier: Apache-2.0
// Multi-head latent attention: kernels, whole blocks, and the large-EP blocks of sglang.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

struct ContextMla : OpBase {
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  int64_t cp_size = 1;
};

struct GenerationMla : OpBase {
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
};

/// The batched products before or after decode attention. Priced over batch in generation, tokens in context.
struct MlaBmm : OpBase {
  int64_t num_heads = 0;
  QuantMode quant = QuantMode::bfloat16;  // a GEMM mode
  bool is_pre = true;
};

/// Prefill (context) or decode block: projections, attention, products.
struct MlaModule : OpBase {
  bool context = true;
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::bfloat16;
  int64_t native_num_heads = 0;  // of the whole model; 0: unknown
};

/// Attention block of sglang with wide expert parallelism. Heads = 128 / tp.
struct WideEpMla : OpBase {
  bool context = true;
  int64_t num_heads = 128;  // of this rank
  QuantMode kv_quant = QuantMode::fp8;
  QuantMode fmha_quant = QuantMode::fp8_block;
  std::string attn_backend = "flashinfer";
  int64_t cp_size = 1;
};

}  // namespace perfatlas::aic
