// SPDX-License-Identifier: Apache-2.0
// DeepSeek-V3: what its two graphs share.
#pragma once

#include "perfatlas/estimate/graph/latent_attention.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {

/// The skew of expert loads assumed for these families.
inline constexpr const char* kDeepSeekSkew = "1.01";

/// Latent attention of one layer with everything that decides its ops.
struct LatentBlock {
  LatentWidths widths;
  ProjectionModes modes;
  aic::QuantMode bmm;     // of the products with the absorbed up-projections
  int64_t vllm_head_dim;  // vLLM runs plain attention with heads of this width
};

/// Experts over several nodes with TensorRT-LLM; the whole graph of a phase.
void add_deepseek_wide_trtllm(PhaseGraph& graph, const LatentBlock& attention, const ExpertBlock& experts);
/// Experts over several nodes with SGLang, whose attention block is measured as a whole.
void add_deepseek_wide_sglang(PhaseGraph& graph, const LatentBlock& attention, const ExpertBlock& experts);

/// KV bytes of a token, of all layers: kept latent, whole on every rank.
double latent_kv_bytes_per_token(const ModelSizes& sizes, const LatentWidths& widths, aic::QuantMode kv);

}  // namespace perfatlas::estimate
