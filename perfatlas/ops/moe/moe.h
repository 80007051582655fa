// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "moe" op: the expert layer of a mixture-of-experts model on one rank, from router logits
// to the weighted sum of the experts' outputs. The router's own matrix product, shared experts and the exchange of
// tokens between ranks are ops of their own.
#pragma once

#include "perfatlas/ops/moe/moe_routing.h"
#include "perfatlas/schema/model_shapes.h"
#include "perfatlas/schema/resemblance.h"

namespace perfatlas {

/// The kernel_source of published rows that are a table of their own, op moe_low_latency.
inline constexpr std::string_view kMinLatencyKernel = "moe_torch_flow_min_latency";

/// For every token, with E experts and T the indices of its topk largest logits (of equal ones the lower index):
///   out = sum over e in T of softmax(logits restricted to T)_e * expert_e(x)
///   expert_e(x) = W2_e * (silu(W1_e x) . W3_e x)   gated (SwiGLU)
///   expert_e(x) = W2_e * relu(W1_e x)^2            not gated (squared ReLU)
/// Sources: N. Shazeer et al., "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", 2017,
/// eq. 1-5 (top-k gating); A. Jiang et al., "Mixtral of experts", 2024, section 2.1 (softmax over the top-k logits,
/// SwiGLU experts); D. So et al., "Primer", 2021 (squared ReLU).
///
/// Parallelism is emulated on one device: rank 0 of `ep` expert-parallel ranks holds the first experts/ep experts (with
/// EPLB: slots), and of each the first inter/tp intermediate features. Tokens routed elsewhere add nothing here.
struct Moe {
  Quant dtype = Quant::bf16;
  int64_t tokens = 1;
  int64_t hidden = 1;
  int64_t inter = 1;
  int64_t topk = 1;
  int64_t experts = 1;
  int64_t tp = 1;
  int64_t ep = 1;
  Symbol distribution{"balanced"};
  bool gated = true;
  bool operator==(const Moe&) const = default;

  /// Published tables write one mode for kernels that differ in kind: those of w4a8_mxfp4_mxfp8 and w4a16_mxfp4 that go
  /// by another name are filed under it. Rows of kernels for few tokens are those of the op moe_low_latency.
  static std::optional<Moe> published(const Moe& row, Symbol kernel);

  /// Published tables have no such column: the models whose experts are not gated are known by their shape.
  bool published_as_gated() const;

  static constexpr OpInfo info{
      .id = "moe",
      .table = "moe_perf",
      .op_name = "moe",
      .doc =
          "Expert layer on one rank: top-k of the router logits, permutation, two grouped products with the "
          "activation between them, weighted sum.",
      .sol =
          "max(2*g*load*hidden_size*inter_size/moe_tp_size / peak(moe_dtype), "
          "touched*g*hidden_size*inter_size/moe_tp_size*weight_bytes / memory_bw, "
          "(x + logits + out bytes) / llc_bw); g = 3 gated, else 2; load = num_tokens*topk/moe_ep_size "
          "(balanced: exactly rank 0's while not every expert has a token); touched = experts of rank 0 "
          "with a token: counted if balanced, expected from the density of a power law",
  };

  static constexpr auto fields = std::tuple{
      field("moe_dtype", &Moe::dtype, Role::exact, "quantisation of the expert weights and activations")
          .flagged("dtype"),
      field("num_tokens", &Moe::tokens, Role::axis, "tokens in the step, of all expert-parallel ranks")
          .flagged("tokens"),
      field("hidden_size", &Moe::hidden, Role::exact, "features of a token").flagged("hidden"),
      field("inter_size", &Moe::inter, Role::exact, "intermediate features of an expert, before tp")
          .flagged("inter"),
      field("topk", &Moe::topk, Role::exact, "experts per token"),
      field("num_experts", &Moe::experts, Role::exact, "experts of all ranks").flagged("experts"),
      field("moe_tp_size", &Moe::tp, Role::exact, "ranks that share each expert's features").flagged("tp"),
      field("moe_ep_size", &Moe::ep, Role::exact, "ranks that share the experts").flagged("ep"),
      field("distribution", &Moe::distribution, Role::exact,
            "load of the experts: balanced, or power_law_A with exponent A, e.g. power_law_1.2"),
      field("gated", &Moe::gated, Role::exact, "SwiGLU experts with three matrices; else squared ReLU, two")
          .absent_follows(&Moe::published_as_gated),
  };

  static constexpr auto axes =
      std::array{// Below the first key the integer shares of tokens per rank make work a staircase.
                 axis<&Moe::tokens, Moe>("tokens").straight_in(Beyond::work_above)};

  static constexpr std::string_view kShape[] = {"hidden_size", "inter_size",  "topk",
                                                "num_experts", "moe_tp_size", "moe_ep_size"};
  static constexpr Resemblance resemblance{.shape = kShape,
                                           .layer = std::span<const std::string_view>(kShape).first(4)};
  /// Hidden, inter/tp, experts/ep (half), top-k and ep; slices compare at equal pairs of token and expert per rank.
  Likeness likeness() const;

  static constexpr TableLayout layout{
      .growth_limit = 1.1,  // efficiency falls off a little where experts fill up
      .why =
          "token-equivalent: routing and experts see the tokens of a step one by one, so that only their "
          "number matters, not how batch and sequence share them; every shape, split and load is a curve of "
          "its own, because experts touched per token make the step from memory-bound to compute-bound",
  };

  std::string_view why_invalid() const;
  Work work() const;

  RoutingShape routing_shape() const { return {tokens, experts, topk, ep}; }
  int64_t local_experts() const { return experts / ep; }
  int64_t local_inter() const { return inter / tp; }
  /// Matrices from hidden to inter: gate and up, or up alone.
  int64_t in_matrices() const { return gated ? 2 : 1; }
  /// Type of x and out: that of the products when it has 16 bits or more, else bf16 (narrower types are made from it
  /// inside the op).
  DType token_type() const;
  /// 8-bit integer weights stand for this times their value, so that results stay of order one.
  static double int8_weight_scale(int64_t depth);

  /// x[tokens, hidden] and logits[tokens, experts] activations, w13[local experts, 2 or 1, local inter, hidden] (gate,
  /// then up) and w2[local experts, hidden, local inter] weights, out[tokens, hidden] output. The logits make top-k
  /// choose what route_tokens(distribution) says for the seed.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Expert layers of the models x kTokenLadder x the prototype's distribution, balanced, power law 1.01 and 1.2.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Moe>& sink);

  /// The published grid, in cases: TensorRT-LLM 75,087 for sm 90 and 119,556 for sm 100 (of which 19,440 are there
  /// twice: measured with a second kernel), vLLM 31,266 and 39,447, SGLang 38,340 and 57,240.
  static void aic_cases(const AicGrid& grid, const CaseSink<Moe>& sink);
};
static_assert(Operation<Moe>);

/// Positions in operands().
enum MoeOperand : size_t { moe_x_at, moe_logits_at, moe_w13_at, moe_w2_at, moe_out_at };

/// The topk largest of `experts` logits, best first; of equal ones the lower index first.
void top_k(const float* logits, int64_t experts, int64_t topk, int32_t* chosen);

}  // namespace perfatlas
