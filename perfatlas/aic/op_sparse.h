// SPDX-License-Identifier: Apache-2.0
// Blocks that attend to selected tokens only: DSA (DeepSeek-V3.2, GLM-5), MSA (MiniMax-M3), CSA and HCA
// (DeepSeek-V4), and the residual mixing that goes with the latter.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// Dimensions follow from the architecture.
struct DsaModule : OpBase {
  /// Modes of the groups of projections: gemm_quant, unless a checkpoint keeps some in another one.
  struct Projections {
    QuantMode q = QuantMode::bfloat16, kv = QuantMode::bfloat16, o = QuantMode::bfloat16,
              indexer = QuantMode::bfloat16;
    bool operator==(const Projections&) const = default;
  };
  bool context = true;
  int64_t num_heads = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::bfloat16;
  Projections projections;
  std::string architecture = "DeepseekV32ForCausalLM";
  int64_t cp_size = 1;
  double full_fraction = 1;  // share of the layers that have an indexer
};

struct MsaModule : OpBase {
  bool context = true;
  int64_t num_heads = 0, num_kv_heads = 0;
  int64_t hidden_size = 0, head_dim = 0, v_head_dim = 0;
  int64_t index_n_heads = 0, index_head_dim = 0, index_topk = 0, block_size = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  QuantMode gemm_quant = QuantMode::bfloat16;
  std::string dsa_architecture =
      "GlmMoeDsaForCausalLM";  // that lends its utilisation when MSA was not measured
  double dsa_scale_k = 1;      // factor on that utilisation
};

struct Dsv4Attention : OpBase {
  bool context = true;
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
};

/// Hyper-connection mixing before (pre) or after (post) the two blocks of a layer, or both.
struct Mhc : OpBase {
  enum class Part { pre, post, both };
  Part part = Part::pre;
  int64_t hidden_size = 0;
  int64_t hc_mult = 4;
  int64_t sinkhorn_iters = 20;
  QuantMode quant = QuantMode::bfloat16;
  std::string architecture = "DeepseekV4ForCausalLM";
  int64_t seq_split = 1;
};

}  // namespace perfatlas::aic
