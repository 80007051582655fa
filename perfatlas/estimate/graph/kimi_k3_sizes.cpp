// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/kimi_k3_sizes.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas::estimate {

KimiK3Sizes read_kimi_k3(const Checkpoint& checkpoint, const ModelSizes& sizes) {
  const HfConfig& config = checkpoint.config;
  const auto linear = config.object_if("linear_attn_config");
  if (!linear) throw Error(fmt::format("{}: key 'linear_attn_config' is missing", config.origin()));
  KimiK3Sizes k;
  for (const int64_t layer : linear->integers("kda_layers")) {  // counted from 1
    if (layer < 1 || layer > sizes.layers)
      throw Error(
          fmt::format("{}: kda_layers has {}, the layers are 1 to {}", config.origin(), layer, sizes.layers));
    ++k.delta_layers;
  }
  if (k.delta_layers == 0) throw Error(fmt::format("{}: key 'kda_layers' is missing", linear->origin()));
  k.latent_layers = sizes.layers - k.delta_layers;
  k.delta_heads = linear->positive("num_heads");
  k.delta_dim = linear->positive("head_dim");
  k.delta_conv = linear->positive_if("short_conv_kernel_size").value_or(4);
  k.latent = {config.positive("q_lora_rank"), config.positive("kv_lora_rank"),
              config.positive("qk_nope_head_dim"), config.positive("qk_rope_head_dim"),
              config.positive("v_head_dim")};
  k.expert_hidden = config.integer_or("routed_expert_hidden_size", 0);
  k.shared_experts = config.integer_or("num_shared_experts", 0);
  k.dense_layers = config.integer_or("first_k_dense_replace", 0);
  k.residual_block = config.integer_or("attn_res_block_size", 0);
  return k;
}

}  // namespace perfatlas::estimate
