// SPDX-License-Identifier: Apache-2.0
// Multi-head latent attention: kernels, whole blocks, and the large-EP blocks of sglang.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// Attention heads of DeepSeek-V3: tables of latent kernels are keyed by the heads that a rank has of these.
inline constexpr int64_t kLatentTableHeads = 128;

struct ContextMla : OpBase {
  static constexpr OpClasses<1> kClasses{"ContextMLA"};
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  int64_t cp_size = 1;

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.num_heads);
    f.required("kvcache_quant_mode", op.kv_quant, QuantKind::kv);
    f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.optional("cp_size", op.cp_size);
  }
  bool operator==(const ContextMla&) const = default;
};

struct GenerationMla : OpBase {
  static constexpr OpClasses<1> kClasses{"GenerationMLA"};
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.num_heads);
    f.required("kv_cache_dtype", op.kv_quant, QuantKind::kv);
  }
  bool operator==(const GenerationMla&) const = default;
};

/// The batched products before or after decode attention. Priced over batch in generation, tokens in context.
struct MlaBmm : OpBase {
  static constexpr OpClasses<1> kClasses{"MLABmm"};
  int64_t num_heads = 0;
  QuantMode quant = QuantMode::bfloat16;  // a GEMM mode
  bool is_pre = true;

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.num_heads);
    f.required("quant_mode", op.quant, QuantKind::gemm);
    f.optional("if_pre", op.is_pre);
  }
  bool operator==(const MlaBmm&) const = default;
};

/// Prefill (context) or decode block: projections, attention, products.
struct MlaModule : OpBase {
  static constexpr OpClasses<1> kClasses{"MLAModule"};
  bool context = true;
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::bfloat16;
  int64_t native_num_heads = 0;  // of the whole model; 0: unknown

  static void fields(auto& op, auto& f) {
    f.required("is_context", op.context);
    f.required("num_heads", op.num_heads);
    f.required("kvcache_quant_mode", op.kv_quant, QuantKind::kv);
    f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.required("gemm_quant_mode", op.gemm_quant, QuantKind::gemm);
    f.optional("native_num_heads", op.native_num_heads);
  }
  bool operator==(const MlaModule&) const = default;
};

/// Attention block of sglang with wide expert parallelism, of kLatentTableHeads.
struct WideEpMla : PhaseOp {
  static constexpr OpClasses<2> kClasses{"WideEPContextMLA", "WideEPGenerationMLA"};
  int64_t tp_size = 1;  // a divisor of kLatentTableHeads
  QuantMode kv_quant = QuantMode::fp8;
  QuantMode fmha_quant = QuantMode::fp8_block;
  std::string attn_backend = "flashinfer";
  int64_t cp_size = 1;

  int64_t num_heads() const { return kLatentTableHeads / tp_size; }  // of this rank

  static void fields(auto& op, auto& f) {
    f.required("tp_size", op.tp_size);
    f.required("kvcache_quant_mode", op.kv_quant, QuantKind::kv);
    f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.optional("attn_backend", op.attn_backend);
    f.optional("cp_size", op.cp_size);
  }
  bool operator==(const WideEpMla&) const = default;
};

}  // namespace perfatlas::aic
