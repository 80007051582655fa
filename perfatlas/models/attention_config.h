// SPDX-License-Identifier: Apache-2.0
// What every family reads the same way.
#pragma once

#include <string>
#include <string_view>

#include "perfatlas/models/hf_config.h"
#include "perfatlas/models/step_builder.h"

namespace perfatlas {

/// num_attention_heads, num_key_value_heads, head_dim (else hidden_size / heads), partial_rotary_factor and the sliding
/// window where it is switched on. Throws Error naming the key.
AttentionSizes attention_sizes(const HfConfig& config);

/// The attention of all layers, of which some may look back `windowed.window` tokens only.
struct LayeredAttention {
  AttentionSizes full, windowed;  // alike but for the window
  int64_t full_layers = 0, windowed_layers = 0;
};

/// The windowed layers are those that layer_types calls sliding_attention; without it Qwen's from max_window_layers on,
/// other models' all of them. Throws Error naming the key, and where layer_types does not fit.
LayeredAttention layered_attention(const HfConfig& config, int64_t layers);

/// The blocks of both kinds of layers; those with a window end in "_window" where there are both.
void add_attention(StepBuilder& builder, const LayeredAttention& attention);

/// "tp 3 does not divide 64 attention heads", or empty.
std::string why_not_divided(std::string_view what, int64_t total, std::string_view ranks_name, int64_t ranks);

/// Throws Error where key/value heads do not share the query heads evenly (0: every layer has its own number of them),
/// or heads have no elements.
void check_heads(const HfConfig& config, const AttentionSizes& sizes);

/// Throws Error where more experts are chosen per token than there are.
void check_experts(const HfConfig& config, const ExpertSizes& sizes);

/// Whether experts of `sizes` can be split that way; a reason, or empty.
std::string why_not_experts(const ExpertSizes& sizes, const Parallelism& ranks);

}  // namespace perfatlas
