// SPDX-License-Identifier: Apache-2.0
// What Kimi-K3 has beyond the common sizes, and its draft model.
#pragma once

#include "perfatlas/estimate/checkpoint.h"
#include "perfatlas/estimate/graph/latent_attention.h"
#include "perfatlas/estimate/model_sizes.h"

namespace perfatlas::estimate {

struct KimiK3Sizes {
  int64_t delta_layers = 0, latent_layers = 0;
  int64_t delta_heads = 0, delta_dim = 0, delta_conv = 4;
  LatentWidths latent;
  int64_t expert_hidden = 0;  // experts work in a space of this width; 0: the model's
  int64_t shared_experts = 0, dense_layers = 0;
  int64_t residual_block = 0;  // layers per residual attention; 0: none
};

/// Throws Error naming a missing or malformed key.
KimiK3Sizes read_kimi_k3(const Checkpoint& checkpoint, const ModelSizes& sizes);

/// The published draft model: layers with attention of either framework's own kind.
struct KimiK3Draft {
  static constexpr int64_t kLayers = 5, kInter = 14336;
  static constexpr int64_t kHeads = 64, kKvHeads = 16, kHeadDim = 64;  // sglang
  static constexpr LatentWidths kLatent{1536, 512, 128, 64, 128};      // vllm, with kHeads heads
};

/// Recurrent states that a request holds on to: its own and those of drafted tokens.
inline constexpr int64_t kDeltaStatesPerRequest = 5;

}  // namespace perfatlas::estimate
