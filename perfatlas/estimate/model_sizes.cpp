// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/model_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "perfatlas/base/error.h"
#include "perfatlas/models/attention_config.h"

namespace perfatlas::estimate {
namespace {

/// The first of several names of one fact that has a positive value.
int64_t first_of(const HfConfig& config, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (const int64_t value = config.integer_or(key, 0); value > 0) return value;
  return 0;
}

int64_t layer_count(const HfConfig& config) {
  if (const auto layers = config.positive_if("num_hidden_layers")) return *layers;
  if (const auto types = config.texts("layers_block_type"); !types.empty()) return int64_t(types.size());
  if (const auto pattern = config.text_if("hybrid_override_pattern")) return int64_t(pattern->size());
  throw Error(fmt::format("{}: key 'num_hidden_layers' is missing", config.origin()));
}

/// As engines read it: YaRN stretches the length of the pretraining, which max_position_embeddings may already count;
/// linear and dynamic scaling stretch max_position_embeddings; others (llama3, longrope) are within it already.
int64_t stretched_context(const HfConfig& config) {
  const int64_t context = config.tokens("max_position_embeddings");
  const auto scaling = config.object_if("rope_scaling");
  if (!scaling) return context;
  const auto type = scaling->text_if("rope_type") ? scaling->text_if("rope_type") : scaling->text_if("type");
  const auto factor = scaling->positive_real_if("factor");
  if (!type || !factor) return context;
  constexpr double kEndless = 1e18;  // an int64_t holds it
  const auto times_factor = [&](int64_t length) {
    return int64_t(std::min(double(length) * *factor, kEndless));
  };
  if (*type == "yarn")
    return std::max(context, times_factor(scaling->integer_or("original_max_position_embeddings", 0)));
  return *type == "linear" || *type == "dynamic" ? times_factor(context) : context;
}

void check(const HfConfig& config, const ModelSizes& s) {
  const auto refuse = [&](const std::string& why) {
    throw Error(fmt::format("{}: {}", config.origin(), why));
  };
  if (s.max_context == 0) refuse("key 'max_position_embeddings' is missing or 0");
  check_heads(config, {.heads = s.heads, .kv_heads = s.kv_heads, .head_dim = s.head_dim});
  if (s.experts == 0) return;
  if (s.topk == 0) refuse("key 'num_experts_per_tok' is missing");
  check_experts(config, {.topk = s.topk, .experts = s.experts});
  if (s.expert_inter == 0) refuse("key 'moe_intermediate_size' is missing");
}

}  // namespace

ModelSizes read_sizes(const HfConfig& config) {
  ModelSizes s;
  s.layers = layer_count(config);
  s.hidden = config.positive("hidden_size");
  s.heads = config.positive("num_attention_heads");
  // Without the key every query head has its own; block_configs give every layer its own number.
  s.kv_heads = config.integer_or("num_key_value_heads", config.has("block_configs") ? 0 : s.heads);
  s.head_dim = first_of(config, {"head_dim", "attention_head_dim"});
  if (s.head_dim == 0) s.head_dim = s.hidden / s.heads;
  s.inter = config.integer_or("intermediate_size", 0);
  s.vocab = config.positive("vocab_size");
  s.max_context = stretched_context(config);
  s.experts = first_of(config, {"num_local_experts", "n_routed_experts", "moe_num_experts", "num_experts"});
  s.topk = first_of(config, {"num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_top_k"});
  s.expert_inter = first_of(config, {"moe_intermediate_size", "intermediate_size"});
  check(config, s);
  return s;
}

}  // namespace perfatlas::estimate
