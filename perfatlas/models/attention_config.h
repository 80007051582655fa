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

/// "tp 3 does not divide 64 attention heads", or empty.
std::string why_not_divided(std::string_view what, int64_t total, std::string_view ranks_name, int64_t ranks);

/// Whether experts of `sizes` can be split that way; a reason, or empty.
std::string why_not_experts(const ExpertSizes& sizes, const Parallelism& ranks);

}  // namespace perfatlas
