// SPDX-License-Identifier: Apache-2.0
// Which layers of a mixed model look at the whole sequence and which have experts, as three organisations write it.
#pragma once

#include <vector>

#include "perfatlas/estimate/checkpoint.h"
#include "perfatlas/estimate/model_sizes.h"

namespace perfatlas::estimate {

struct HybridLayers {
  std::vector<bool> global;   // else a sliding window
  std::vector<bool> experts;  // else dense
  int64_t window = 0;         // 0: sliding layers see everything
  // 0: as in global layers
  int64_t window_heads = 0, window_kv_heads = 0, window_head_dim = 0, window_v_head_dim = 0;
  int64_t global_v_head_dim = 0;  // 0: head_dim
  int64_t dense_inter = 0;        // 0: intermediate_size
  bool head_norms = false;
  bool head_gate = false;  // a gate per head after attention

  double count(bool is_global) const;
  double count(bool is_global, bool has_experts) const;
  double expert_layers() const;
};

/// MiMo-V2 (hybrid_layer_pattern, moe_layer_freq), Llama-4 (interleave_moe_layer_step), Step-3 (layer_types,
/// moe_layers_enum). Throws Error naming a malformed key.
HybridLayers read_hybrid_layers(const Checkpoint& checkpoint, const ModelSizes& sizes);

}  // namespace perfatlas::estimate
