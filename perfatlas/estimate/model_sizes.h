// SPDX-License-Identifier: Apache-2.0
// The sizes that every family reads the same way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "perfatlas/estimate/checkpoint.h"

namespace perfatlas::estimate {

/// Of the whole model; 0 where the configuration has no such key.
struct ModelSizes {
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t inter = 0;  // of dense feed-forward layers
  int64_t vocab = 0;
  int64_t max_context = 0;  // longest sequence the model was made for, rope_scaling counted
  int64_t experts = 0;
  int64_t topk = 0;
  int64_t expert_inter = 0;

  /// Key and value heads that one of `tp` ranks keeps: every rank has at least one.
  int64_t kv_heads_per_rank(int64_t tp) const { return (kv_heads + tp - 1) / tp; }
};

/// Reads num_hidden_layers (else the length of the written layer pattern), num_attention_heads, num_key_value_heads
/// (else as many as heads), head_dim (else hidden_size / heads), hidden_size, intermediate_size, vocab_size,
/// max_position_embeddings (stretched as rope_scaling says), the experts under any of their names. Throws Error naming
/// a missing key, and for sizes that contradict each other.
ModelSizes read_sizes(const HfConfig& config);

}  // namespace perfatlas::estimate
