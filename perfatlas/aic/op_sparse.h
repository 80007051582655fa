// SPDX-License-Identifier: Apache-2.0
// Blocks that attend to selected tokens only: DSA (DeepSeek-V3.2, GLM-5), MSA (MiniMax-M3), CSA and HCA
// (DeepSeek-V4), and the residual mixing that goes with the latter.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// Dimensions follow from the architecture.
struct DsaModule : PhaseOp {
  static constexpr OpClasses<2> kClasses{"ContextDSAModule", "GenerationDSAModule"};
  /// Modes of the groups of projections: gemm_quant, unless a checkpoint keeps some in another one.
  struct Projections {
    QuantMode q = QuantMode::bfloat16, kv = QuantMode::bfloat16, o = QuantMode::bfloat16,
              indexer = QuantMode::bfloat16;
    bool operator==(const Projections&) const = default;
  };
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::bfloat16;
  Projections projections;
  std::string architecture = "DeepseekV32ForCausalLM";
  int64_t cp_size = 1;
  double full_fraction = 1;  // share of the layers that have an indexer

  void use_for_projections(QuantMode mode) { projections = {mode, mode, mode, mode}; }

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.num_heads);
    f.either("kvcache_quant_mode", "kv_cache_dtype", op.kv_quant, QuantKind::kv);
    if (op.context) f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.required("gemm_quant_mode", op.gemm_quant, QuantKind::gemm);
    f.optional("architecture", op.architecture);
    f.optional("cp_size", op.cp_size);
    f.optional("dsa_full_layer_fraction", op.full_fraction);
    f.group("attn_projection_quant_modes", [&](auto& group) {
      group.optional("q", op.projections.q, QuantKind::gemm);
      group.optional("kv", op.projections.kv, QuantKind::gemm);
      group.optional("o", op.projections.o, QuantKind::gemm);
      group.optional("indexer", op.projections.indexer, QuantKind::gemm);
    });
  }
  bool operator==(const DsaModule&) const = default;
};

struct MsaModule : PhaseOp {
  static constexpr OpClasses<2> kClasses{"ContextMSAModule", "GenerationMSAModule"};
  int64_t num_heads = 0, num_kv_heads = 0;
  int64_t hidden_size = 0, head_dim = 0, v_head_dim = 0;
  int64_t index_n_heads = 0, index_head_dim = 0, index_topk = 0, block_size = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::bfloat16;
  std::string dsa_architecture =
      "GlmMoeDsaForCausalLM";  // that lends its utilisation when MSA was not measured
  double dsa_scale_k = 1;      // factor on that utilisation

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.num_heads);
    f.required("num_kv_heads", op.num_kv_heads);
    f.required("hidden_size", op.hidden_size);
    f.required("head_dim", op.head_dim);
    f.required("v_head_dim", op.v_head_dim);
    f.required("index_n_heads", op.index_n_heads);
    f.required("index_head_dim", op.index_head_dim);
    f.required("index_topk", op.index_topk);
    f.required("block_size", op.block_size);
    f.required("kvcache_quant_mode", op.kv_quant, QuantKind::kv);
    f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.required("gemm_quant_mode", op.gemm_quant, QuantKind::gemm);
    f.optional("dsa_architecture", op.dsa_architecture);
    f.optional("dsa_scale_k", op.dsa_scale_k);
  }
  bool operator==(const MsaModule&) const = default;
};

struct Dsv4Attention : PhaseOp {
  static constexpr OpClasses<2> kClasses{"ContextDeepSeekV4AttentionModule",
                                         "GenerationDeepSeekV4AttentionModule"};
  int64_t num_heads = 0;     // of this rank
  int64_t native_heads = 0;  // of the model
  int64_t tp_size = 1;
  int64_t compress_ratio = 4;  // 4: CSA, 128: HCA
  int64_t hidden_size = 7168, q_lora_rank = 1536, o_lora_rank = 1024;
  int64_t head_dim = 512, rope_head_dim = 64;
  int64_t index_n_heads = 64, index_head_dim = 128, index_topk = 1024;
  int64_t window_size = 128, o_groups = 16;
  QuantMode kv_quant = QuantMode::fp8;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::fp8_block;
  std::string architecture = "DeepseekV4ForCausalLM";
  int64_t cp_size = 1;

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.num_heads);
    f.required("native_heads", op.native_heads);
    f.required("tp_size", op.tp_size);
    f.required("hidden_size", op.hidden_size);
    f.required("q_lora_rank", op.q_lora_rank);
    f.required("o_lora_rank", op.o_lora_rank);
    f.required("head_dim", op.head_dim);
    f.required("rope_head_dim", op.rope_head_dim);
    f.required("index_n_heads", op.index_n_heads);
    f.required("index_head_dim", op.index_head_dim);
    f.required("index_topk", op.index_topk);
    f.required("window_size", op.window_size);
    f.required("compress_ratio", op.compress_ratio);
    f.required("o_groups", op.o_groups);
    f.required("kvcache_quant_mode", op.kv_quant, QuantKind::kv);
    f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.required("gemm_quant_mode", op.gemm_quant, QuantKind::gemm);
    f.required("architecture", op.architecture);
    f.optional("cp_size", op.cp_size);
  }
  bool operator==(const Dsv4Attention&) const = default;
};

/// Hyper-connection mixing before (pre) or after (post) the two blocks of a layer, or both.
struct Mhc : OpBase {
  static constexpr OpClasses<1> kClasses{"DeepSeekV4MHCModule"};
  enum class Part { pre, post, both };
  Part part = Part::pre;
  int64_t hidden_size = 0;
  int64_t hc_mult = 4;
  int64_t sinkhorn_iters = 20;
  QuantMode quant = QuantMode::bfloat16;
  std::string architecture = "DeepseekV4ForCausalLM";
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.choice("op", op.part, {{"pre", Part::pre}, {"post", Part::post}, {"both", Part::both}});
    f.required("hidden_size", op.hidden_size);
    f.required("hc_mult", op.hc_mult);
    f.required("sinkhorn_iters", op.sinkhorn_iters);
    f.required("quant_mode", op.quant, QuantKind::gemm);
    f.required("architecture", op.architecture);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const Mhc&) const = default;
};

}  // namespace perfatlas::aic
