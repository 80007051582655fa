// SPDX-License-Identifier: Apache-2.0
// The columns that tables of expert layers share, and the least work of their experts.
#pragma once

#include "perfatlas/schema/op.h"

namespace perfatlas {

/// The experts of one rank out of `ep`; `slots` counts experts with their copies on other ranks.
struct ExpertLoad {
  double tokens = 1;
  int64_t hidden = 1, inter = 1, topk = 1, slots = 1, tp = 1, ep = 1;
  Quant dtype = Quant::bf16;

  std::string_view why_invalid() const;
  /// Gated experts under an even load: flops = 6 * tokens * topk / ep * hidden * inter / tp; weights of
  /// min(slots / ep, tokens * topk / ep) experts; rows in and out.
  Work work() const;
};

/// A row of an expert-layer table.
struct ExpertCase {
  Quant dtype = Quant::fp8_block;
  int64_t tokens = 1;
  int64_t hidden = 7168;
  int64_t inter = 2048;
  int64_t topk = 8;
  int64_t experts = 256;
  int64_t tp = 1;
  int64_t ep = 1;
  Symbol distribution{"balanced"};
  bool operator==(const ExpertCase&) const = default;

  ExpertLoad load() const { return {double(tokens), hidden, inter, topk, experts, tp, ep, dtype}; }
  std::string_view why_invalid() const { return load().why_invalid(); }
  Work work() const { return load().work(); }
};

inline constexpr auto kExpertFields = std::tuple{
    field("moe_dtype", &ExpertCase::dtype, Role::exact, "quantisation of the expert weights and activations")
        .flagged("dtype"),
    field("num_tokens", &ExpertCase::tokens, Role::axis, "tokens in the step").flagged("tokens"),
    field("hidden_size", &ExpertCase::hidden, Role::exact, "features of a token").flagged("hidden"),
    field("inter_size", &ExpertCase::inter, Role::exact, "intermediate features of an expert, before tp")
        .flagged("inter"),
    field("topk", &ExpertCase::topk, Role::exact, "experts per token"),
    field("num_experts", &ExpertCase::experts, Role::exact, "experts of all ranks").flagged("experts"),
    field("moe_tp_size", &ExpertCase::tp, Role::exact, "ranks that share each expert's features")
        .flagged("tp"),
    field("moe_ep_size", &ExpertCase::ep, Role::exact, "ranks that share the experts").flagged("ep"),
    field("distribution", &ExpertCase::distribution, Role::exact,
          "load of the experts: uniform, or power_law_A with exponent A"),
};

inline constexpr std::string_view kExpertSol =
    "max(6*num_tokens*topk/moe_ep_size*hidden_size*inter_size/moe_tp_size / peak(moe_dtype), "
    "3*experts touched*hidden_size*inter_size/moe_tp_size*weight_bytes / memory_bw, rows in and out / "
    "llc_bw)";
inline constexpr std::string_view kExpertWhy =
    "token-equivalent: experts see the tokens of a step one by one; every shape, split and load is a curve "
    "of "
    "its own, because the experts touched make the step from memory-bound to compute-bound";

/// What every op of such rows has in common: columns, the axis and why. `Op` is the op itself.
template <class Op>
struct ExpertOp : ExpertCase {
  static constexpr auto fields = kExpertFields;
  static constexpr std::array<Axis<Op>, 1> axes = {axis<&ExpertCase::tokens, Op>("tokens")};
  static constexpr TableLayout layout{.why = kExpertWhy};
};

}  // namespace perfatlas
