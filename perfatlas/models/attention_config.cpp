// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/attention_config.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

double rotary_share(const HfConfig& config) {
  if (const auto share = config.positive_real_if("partial_rotary_factor")) return *share;
  if (const auto parameters = config.object_if("rope_parameters"))
    return parameters->positive_real_if("partial_rotary_factor").value_or(1);
  return 1;
}

}  // namespace

AttentionSizes attention_sizes(const HfConfig& config) {
  AttentionSizes s;
  s.heads = config.positive("num_attention_heads");
  s.kv_heads = config.positive_if("num_key_value_heads").value_or(s.heads);
  s.head_dim = config.positive_if("head_dim").value_or(config.positive("hidden_size") / s.heads);
  // Qwen writes a window that is switched off by use_sliding_window; configurations without that key use theirs.
  const auto window = config.positive_if("sliding_window");
  const bool used = config.has("use_sliding_window") ? config.flag("use_sliding_window") : true;
  s.window = window && used ? *window : 0;
  s.rotary_dim = int64_t(rotary_share(config) * double(s.head_dim)) / 2 * 2;
  if (s.heads % s.kv_heads != 0)
    throw Error(fmt::format("{}: num_attention_heads {} is no multiple of num_key_value_heads {}",
                            config.origin(), s.heads, s.kv_heads));
  return s;
}

std::string why_not_divided(std::string_view what, int64_t total, std::string_view ranks_name,
                            int64_t ranks) {
  if (ranks >= 1 && total % ranks == 0) return {};
  return fmt::format("{} {} does not divide {} {}", ranks_name, ranks, total, what);
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
