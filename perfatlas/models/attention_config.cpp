// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/attention_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

double rotary_share(const HfConfig& config) {
  if (const auto share = config.positive_real_if("partial_rotary_factor")) return *share;
  if (const auto parameters = config.object_if("rope_parameters"))
    return parameters->positive_real_if("partial_rotary_factor").value_or(1);
  return 1;
}

/// Layers that layer_types calls sliding_attention, else Qwen's from max_window_layers on, else all; 0 without a
/// window.
int64_t windowed_layers(const HfConfig& config, int64_t layers, int64_t window) {
  const std::vector<std::string> kinds = config.texts("layer_types");
  if (!kinds.empty()) {
    if (int64_t(kinds.size()) != layers)
      throw Error(
          fmt::format("{}: layer_types has {} entries for {} layers", config.origin(), kinds.size(), layers));
    int64_t windowed = 0;
    for (const std::string& kind : kinds) {
      if (kind != "sliding_attention" && kind != "full_attention")
        throw Error(
            fmt::format("{}: layer_types has an entry '{}', expected full_attention or sliding_attention",
                        config.origin(), clipped(kind)));
      windowed += kind == "sliding_attention";
    }
    if (windowed > 0 && window == 0)
      throw Error(fmt::format("{}: layer_types has sliding_attention, but there is no sliding_window",
                              config.origin()));
    return windowed;
  }
  if (window == 0) return 0;
  // Qwen's window begins at this layer.
  const int64_t first = config.has("use_sliding_window") ? config.integer_or("max_window_layers", 0) : 0;
  return std::max<int64_t>(0, layers - first);
}

}  // namespace

AttentionSizes attention_sizes(const HfConfig& config) {
  AttentionSizes s;
  s.heads = config.positive("num_attention_heads");
  s.kv_heads = config.positive_if("num_key_value_heads").value_or(s.heads);
  s.head_dim = config.positive_if("head_dim").value_or(config.positive("hidden_size") / s.heads);
  // Qwen writes a window that is switched off by use_sliding_window; configurations without that key use theirs.
  const bool used = config.has("use_sliding_window") ? config.flag("use_sliding_window") : true;
  s.window = used ? config.tokens("sliding_window") : 0;
  const double share = rotary_share(config);
  if (share > 1)
    throw Error(
        fmt::format("{}: partial_rotary_factor is {:g}, more than the whole head", config.origin(), share));
  s.rotary_dim = int64_t(share * double(s.head_dim)) / 2 * 2;
  check_heads(config, s);
  return s;
}

LayeredAttention layered_attention(const HfConfig& config, int64_t layers) {
  LayeredAttention a;
  a.windowed = a.full = attention_sizes(config);
  a.full.window = 0;
  a.windowed_layers = windowed_layers(config, layers, a.windowed.window);
  a.full_layers = layers - a.windowed_layers;
  return a;
}

void add_attention(StepBuilder& builder, const LayeredAttention& a) {
  if (a.windowed_layers > 0)
    builder.attention(a.windowed, a.windowed_layers, a.full_layers > 0 ? "_window" : "");
  if (a.full_layers > 0) builder.attention(a.full, a.full_layers);
}

std::string why_not_divided(std::string_view what, int64_t total, std::string_view ranks_name,
                            int64_t ranks) {
  if (ranks >= 1 && total % ranks == 0) return {};
  return fmt::format("{} {} does not divide {} {}", ranks_name, ranks, total, what);
}

void check_heads(const HfConfig& config, const AttentionSizes& s) {
  if (s.kv_heads > 0 && s.heads % s.kv_heads != 0)
    throw Error(fmt::format("{}: num_attention_heads {} is no multiple of num_key_value_heads {}",
                            config.origin(), s.heads, s.kv_heads));
  if (s.head_dim == 0)
    throw Error(fmt::format("{}: hidden_size {} is less than num_attention_heads {}", config.origin(),
                            config.positive("hidden_size"), s.heads));
}

void check_experts(const HfConfig& config, const ExpertSizes& s) {
  if (s.topk > s.experts)
    throw Error(fmt::format("{}: num_experts_per_tok {} is more than the {} experts", config.origin(), s.topk,
                            s.experts));
}

std::string why_not_experts(const ExpertSizes& sizes, const Parallelism& ranks) {
  if (ranks.tp != ranks.moe_tp * ranks.moe_ep)
    return fmt::format("moe_tp {} times moe_ep {} is not tp {}", ranks.moe_tp, ranks.moe_ep, ranks.tp);
  if (std::string why = why_not_divided("experts", sizes.experts, "moe_ep", ranks.moe_ep); !why.empty())
    return why;
  if (std::string why = why_not_divided("expert width", sizes.inter, "moe_tp", ranks.moe_tp); !why.empty())
    return why;
  return why_not_divided("shared expert width", sizes.shared_inter, "tp", ranks.tp);
}

}  // namespace perfatlas
