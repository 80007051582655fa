// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/exclusions.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.01";
/// The router of fewer experts is part of the measured expert kernels.
constexpr int64_t kExpertsWithRouter = 128;

struct LayerKind {
  std::string name;
  double layers = 0;
  int64_t kv_heads = 0, head_dim = 0, window = 0;
  bool keys_are_values = false;
};

class Gemma4 final : public ServedModel {
 public:
  explicit Gemma4(const Checkpoint& checkpoint)
      : ServedModel(checkpoint),
        attention_excluded_(excludes(checkpoint, "self_attn")),
        ffn_excluded_(excludes(checkpoint, ".mlp")) {
    const HfConfig& config = checkpoint.config;
    const std::vector<std::string> types = config.texts("layer_types");
    if (int64_t(types.size()) != sizes().layers)
      throw Error(fmt::format("{}: layer_types has {} entries for {} layers", config.origin(), types.size(),
                              sizes().layers));
    if (!has_experts()) (void)config.positive("intermediate_size");
    const auto layers = [&](const char* type) {
      return double(std::count(types.begin(), types.end(), type));
    };
    sliding_ = {"swa_", layers("sliding_attention"), config.positive("num_key_value_heads"),
                config.positive("head_dim"), config.tokens("sliding_window")};
    global_ = {"global_",
               layers("full_attention"),
               config.integer_or("num_global_key_value_heads", sliding_.kv_heads),
               config.integer_or("global_head_dim", sliding_.head_dim),
               0,
               config.flag("attention_k_eq_v")};
  }

  Family family() const override { return Family::gemma4; }
  bool has_experts() const override { return sizes().experts > 0 && sizes().topk > 0; }

  /// aiconfigurator counts dense variants among the models with experts: widths that are named must fit.
  Parallel completed(Parallel ranks) const override {
    return has_experts() || ranks.moe_tp || ranks.moe_ep ? with_expert_widths(ranks) : ranks;
  }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    const double bytes = aic::profile_of(deployment.quant.kv).bytes;
    const int64_t seen = sliding_.window > 0 ? std::min(tokens, sliding_.window) : tokens;
    return bytes * (sliding_.layers * double(kv_width(sliding_, deployment.parallel.tp) * seen) +
                    global_.layers * double(kv_width(global_, deployment.parallel.tp) * tokens));
  }

 private:
  std::string why_not_special(const Deployment& deployment) const override {
    return deployment.parallel.expert_ep() > 1 ? why_unused(deployment.parallel) : std::string();
  }
  static int64_t local_kv(const LayerKind& kind, int64_t tp) { return (kind.kv_heads + tp - 1) / tp; }
  static int64_t kv_width(const LayerKind& kind, int64_t tp) {
    return local_kv(kind, tp) * kind.head_dim * 2;
  }

  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    g.embedding(sizes().vocab);
    for (const LayerKind* kind : {&sliding_, &global_})
      if (kind->layers > 0) layer_kind(g, *kind);
    g.logits();
    g.p2p();
    if (!g.context()) return g.take();
    const double bytes = aic::profile_of(g.quant().kv).bytes;
    for (const LayerKind* kind : {&sliding_, &global_})
      if (kind->layers > 0)
        g.share_kv(kind->layers, double(kv_width(*kind, g.ranks().tp)) * bytes,
                   kind == &global_ ? "_global" : "_swa");
    return g.take();
  }

  void layer_kind(PhaseGraph& g, const LayerKind& kind) const {
    const int64_t tp = g.ranks().tp, h = g.hidden(), kv = local_kv(kind, tp), inter = sizes().inter / tp;
    const int64_t query_width = sizes().heads * kind.head_dim / tp;
    const bool split = !g.quant().gemm_is_explicit;
    const auto mode = [&](bool excluded) {
      return split && excluded ? aic::QuantMode::bfloat16 : g.quant().gemm;
    };
    const aic::QuantMode projection = mode(attention_excluded_), ffn = mode(ffn_excluded_);
    g.norm(kind.name + "attn_norm", kind.layers);
    g.gemm(kind.name + "qkv_gemm", kind.layers,
           {query_width + kv * kind.head_dim * (kind.keys_are_values ? 1 : 2), h}, projection);
    g.attention(kind.layers, {sizes().heads / tp, kv, kind.head_dim, kind.window});
    g.gemm(kind.name + "proj_gemm", kind.layers, {h, query_width}, projection, {.low_precision_input = true});
    g.norm(kind.name + "ffn_norm", kind.layers);
    g.gemm(kind.name + "shared_mlp_gate_up_gemm", kind.layers, {2 * inter, h}, ffn);
    g.elementwise(kind.name + "shared_mlp_act", kind.layers, 2 * inter, inter);
    g.gemm(kind.name + "shared_mlp_down_gemm", kind.layers, {h, inter}, ffn, {.low_precision_input = true});
    if (has_experts()) experts(g, kind, split && ffn_excluded_);
  }

  void experts(PhaseGraph& g, const LayerKind& kind, bool excluded) const {
    ExpertBlock block = expert_block(g, kSkew);
    if (excluded) block.quant = aic::QuantMode::bfloat16;
    const bool shares = g.ranks().cp > 1;
    const DispatchTraits traits{.phase_aware = shares, .split_in_generation = shares};
    if (block.experts >= kExpertsWithRouter)
      g.gemm(kind.name + "router_gemm", kind.layers, {block.experts, g.hidden()}, aic::QuantMode::bfloat16);
    g.add(dispatch(g, block, kind.name + "moe_pre_dispatch", true, traits), kind.layers);
    g.add(routed_experts(g, block, kind.name + "moe"), kind.layers);
    g.add(dispatch(g, block, kind.name + "moe_post_dispatch", false, traits), kind.layers);
  }

  bool attention_excluded_, ffn_excluded_;
  LayerKind sliding_, global_;
};

}  // namespace

std::unique_ptr<ServedModel> make_gemma4(const Checkpoint& checkpoint) {
  return std::make_unique<Gemma4>(checkpoint);
}

}  // namespace perfatlas::estimate
