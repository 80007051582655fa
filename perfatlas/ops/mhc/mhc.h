// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "mhc_module" op: manifold-constrained hyper-connections around the sub-layers of a block
// (Xie et al., "mHC: Manifold-Constrained Hyper-Connections", 2025, equations 7 to 9). The residual stream of a token
// is hc_mult rows x[i] of hidden_size elements. Per site (attention and feed-forward of a block are two):
//
//   m = phi (vec(x) / sqrt(mean(vec(x)^2) + 1e-6))                            hc_mult * (2 + hc_mult) numbers
//   pre[i] = sigmoid(scale[0] * m[i] + base[i]),  post[i] = 2 * sigmoid(scale[1] * m[hc + i] + base[hc + i])
//   res = sinkhorn(exp(scale[2] * m[2 hc ...] + base[2 hc ...]))              columns, then rows divided by their sums
//   op "pre":  y = sum over i of pre[i] x[i]           op "post": out[i] = sum over j of res[i][j] x[j] + post[i] f
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

enum class MhcDirection { pre, post };

template <>
inline constexpr auto kEnumNames<MhcDirection> = std::array{
    EnumName<MhcDirection>{MhcDirection::pre, "pre"}, EnumName<MhcDirection>{MhcDirection::post, "post"}};

inline Symbol default_mhc_architecture() {
  static const Symbol name("DeepseekV4ForCausalLM");
  return name;
}

/// No CPU library has these kernels yet.
struct Mhc {
  MhcDirection direction = MhcDirection::pre;
  Symbol architecture = default_mhc_architecture();
  int64_t tokens = 1;
  int64_t sites = 2;
  int64_t hc = 4;
  int64_t hidden = 4096;
  int64_t sinkhorn = 20;
  bool operator==(const Mhc&) const = default;

  static constexpr double kEpsilon = 1e-6;

  static constexpr OpInfo info{
      .id = "mhc_module",
      .table = "mhc_module_perf",
      .op_name = "",
      .doc =
          "Hyper-connections around the sub-layers of a block: the mixing weights of a token and the "
          "sub-layer's input "
          "(pre), or the new residual streams (post), for all sites of a block.",
      .sol =
          "per site: pre max((2*hc*h*mix + 5*hc*h + sinkhorn_iters*(hc^2 + 2*hc))*num_tokens / "
          "peak(bfloat16), "
          "mix*hc*h*bytes / memory_bw, (hc*h + h)*num_tokens*bytes / llc_bw), mix = hc*(2 + hc); post "
          "max(2*hc*h*(hc + 1)*num_tokens / peak(bfloat16), (2*hc + 1)*h*num_tokens*bytes / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("op_name", &Mhc::direction, Role::exact, "before or after the sub-layer").flagged("direction"),
      field("architecture", &Mhc::architecture, Role::recorded, "whose shape it is"),
      field("num_tokens", &Mhc::tokens, Role::axis, "tokens in the step").flagged("tokens"),
      field("num_sites", &Mhc::sites, Role::exact, "sub-layers in one measurement").flagged("sites"),
      field("hc_mult", &Mhc::hc, Role::exact, "residual streams").flagged("hc"),
      field("hidden_size", &Mhc::hidden, Role::exact, "elements per stream").flagged("hidden"),
      field("sinkhorn_iters", &Mhc::sinkhorn, Role::exact, "normalisations of columns and rows")
          .flagged("sinkhorn"),
  };

  static constexpr auto axes = std::array{axis<&Mhc::tokens, Mhc>("tokens")};

  static constexpr TableLayout layout{
      .why =
          "token-equivalent: every token mixes its own streams, so work is a constant (the mixing weights) "
          "plus a "
          "multiple of the tokens of the step, however they are shared between sequences",
  };

  int64_t mix() const { return hc * (2 + hc); }

  std::string_view why_invalid() const;
  Work work() const;

  /// pre: x[sites, tokens, hc, hidden] bf16, phi[sites, mix, hc*hidden] bf16, scale[sites, 3] f32, base[sites, mix]
  /// f32; outputs y[sites, tokens, hidden] bf16, post[sites, tokens, hc] f32, res[sites, tokens, hc, hc] f32.
  /// post: x as above, f[sites, tokens, hidden] bf16, post and res as above; output out like x.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Sizes of the models at every rung of the token ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Mhc>& sink);

  /// The published grid: 2 directions x 35 token counts x hidden sizes 4096 and 7168 = 140 cases (TensorRT-LLM and
  /// vLLM; the count of sglang is not published).
  static void aic_cases(const AicGrid& grid, const CaseSink<Mhc>& sink);
};
static_assert(Operation<Mhc>);

}  // namespace perfatlas
