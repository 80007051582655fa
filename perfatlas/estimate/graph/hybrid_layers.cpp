// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/hybrid_layers.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas::estimate {
namespace {

std::vector<bool> flags_of(const HfConfig& config, const char* key, int64_t layers) {
  const std::vector<int64_t> written = config.integers(key);
  if (int64_t(written.size()) != layers)
    throw Error(
        fmt::format("{}: {} has {} entries for {} layers", config.origin(), key, written.size(), layers));
  std::vector<bool> flags;
  for (const int64_t value : written) {
    if (value != 0 && value != 1)
      throw Error(fmt::format("{}: {} has an entry {}, expected 0 or 1", config.origin(), key, value));
    flags.push_back(value == 1);
  }
  return flags;
}

HybridLayers mimo_layers(const HfConfig& config, int64_t layers) {
  HybridLayers l;
  l.global = flags_of(config, "hybrid_layer_pattern", layers);
  l.experts = flags_of(config, "moe_layer_freq", layers);
  l.window_kv_heads = config.integer_or("swa_num_key_value_heads", 0);
  l.window_head_dim = config.integer_or("swa_head_dim", 0);
  l.window_v_head_dim = config.integer_or("swa_v_head_dim", 0);
  l.global_v_head_dim = config.integer_or("v_head_dim", 0);
  l.window = config.tokens("sliding_window_size");
  return l;
}

HybridLayers llama4_layers(const HfConfig& config, int64_t layers) {
  HybridLayers l;
  const int64_t step = config.positive_if("interleave_moe_layer_step").value_or(1);
  for (int64_t i = 0; i < layers; ++i) {
    l.global.push_back(i % 2 == 1);
    l.experts.push_back((i + 1) % step == 0);
  }
  l.window = config.tokens("attention_chunk_size");
  l.dense_inter = config.integer_or("intermediate_size_mlp", 0);
  return l;
}

/// "3,4,5" or a list; without it all layers after the first dense ones.
std::vector<bool> step3_experts(const HfConfig& config, int64_t layers) {
  std::vector<int64_t> listed;
  const auto at = config.json().find("moe_layers_enum");
  if (at != config.json().end() && at->is_string()) {
    const std::string text = at->get<std::string>();
    for (const std::string_view part : split(text, ','))
      if (const auto index = parse_integer(trim(part))) listed.push_back(*index);
  } else if (at != config.json().end()) {
    listed = config.integers("moe_layers_enum");
  }
  const int64_t dense = config.integer_or("first_k_dense_replace", 0);
  std::vector<bool> experts;
  for (int64_t i = 0; i < layers; ++i)
    experts.push_back(listed.empty() ? i >= dense
                                     : std::find(listed.begin(), listed.end(), i) != listed.end());
  return experts;
}

HybridLayers step3_layers(const HfConfig& config, int64_t layers) {
  HybridLayers l;
  const std::vector<std::string> types = config.texts("layer_types");
  const int64_t draft_layers = config.integer_or("num_nextn_predict_layers", 0);
  const auto written = int64_t(types.size());
  if (written != layers && written != layers + draft_layers)
    throw Error(
        fmt::format("{}: layer_types has {} entries for {} layers", config.origin(), written, layers));
  for (int64_t i = 0; i < layers; ++i) l.global.push_back(types[size_t(i)] == "full_attention");
  l.experts = step3_experts(config, layers);
  if (const auto other = config.object_if("attention_other_setting")) {
    l.window_heads = other->integer_or("num_attention_heads", 0);
    l.window_head_dim = other->integer_or("head_dim", 0);
  }
  l.window = config.tokens("sliding_window");
  if (l.window == 0) l.window = config.tokens("sliding_window_size");
  l.head_norms = true;
  l.head_gate = config.flag("use_head_wise_attn_gate");
  return l;
}

}  // namespace

double HybridLayers::count(bool is_global, bool has_experts) const {
  double n = 0;
  for (size_t i = 0; i < global.size(); ++i) n += global[i] == is_global && experts[i] == has_experts ? 1 : 0;
  return n;
}

double HybridLayers::count(bool is_global) const { return count(is_global, true) + count(is_global, false); }
double HybridLayers::expert_layers() const { return count(true, true) + count(false, true); }

HybridLayers read_hybrid_layers(const Checkpoint& checkpoint, const ModelSizes& sizes) {
  const std::string architecture = checkpoint.architecture();
  if (architecture == "MiMoV2FlashForCausalLM") return mimo_layers(checkpoint.config, sizes.layers);
  if (architecture == "Llama4ForConditionalGeneration") return llama4_layers(checkpoint.config, sizes.layers);
  return step3_layers(checkpoint.config, sizes.layers);
}

}  // namespace perfatlas::estimate
