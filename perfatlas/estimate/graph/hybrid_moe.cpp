// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/hybrid_layers.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.01";

/// Attention of one kind on one rank, with the widths of its projections.
struct AttentionKind {
  AttentionTraits traits;
  int64_t qkv_out = 0, proj_in = 0, kv_width = 0;
};

class HybridMoe final : public ServedModel {
 public:
  HybridMoe(const Checkpoint& checkpoint, bool step3)
      : ServedModel(checkpoint),
        step3_(step3),
        layers_(read_hybrid_layers(checkpoint, sizes())),
        shared_inter_(step3 ? checkpoint.config.integer_or("share_expert_dim", 0) : 0) {}

  Family family() const override { return step3_ ? Family::step3 : Family::hybrid_moe; }
  bool has_experts() const override { return true; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    if (!step3_) return ServedModel::kv_bytes_per_sequence(deployment, tokens);
    const double per_layer =
        double(2 * sizes().kv_heads_per_rank(deployment.parallel.tp) * sizes().head_dim) *
        aic::profile_of(deployment.quant.kv).bytes;
    const int64_t seen = layers_.window > 0 ? std::min(tokens, layers_.window) : tokens;
    return per_layer * (layers_.count(false) * double(seen) + layers_.count(true) * double(tokens));
  }

 private:
  AttentionKind attention_kind(bool global, int64_t tp) const {
    const auto or_default = [](int64_t written, int64_t fallback) {
      return written > 0 ? written : fallback;
    };
    const int64_t heads = global ? sizes().heads : or_default(layers_.window_heads, sizes().heads);
    const int64_t kv = global ? sizes().kv_heads : or_default(layers_.window_kv_heads, sizes().kv_heads);
    const int64_t d = global ? sizes().head_dim : or_default(layers_.window_head_dim, sizes().head_dim);
    const int64_t v =
        or_default(global ? layers_.global_v_head_dim : layers_.window_v_head_dim, sizes().head_dim);
    const int64_t kv_local = (kv + tp - 1) / tp;
    return {.traits = {heads / tp, kv_local, d, global ? 0 : layers_.window, layers_.head_norms},
            .qkv_out = heads * d / tp + kv_local * (d + v),
            .proj_in = heads * v / tp,
            .kv_width = kv_local * (d + v)};
  }

  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    g.embedding(sizes().vocab);
    layer_kind(g, true, true);
    layer_kind(g, false, true);
    layer_kind(g, false, false);
    layer_kind(g, true, false);
    g.logits();
    g.p2p();
    if (g.context())
      for (const bool global : {true, false})
        if (const double count = layers_.count(global); count > 0)
          g.share_kv(
              count,
              double(attention_kind(global, g.ranks().tp).kv_width) * aic::profile_of(g.quant().kv).bytes,
              global ? "_global" : "_swa");
    if (shared_inter_ > 0 && layers_.expert_layers() > 0)
      dense(g, "shared_expert_", layers_.expert_layers(), shared_inter_ / g.ranks().tp);
    return g.take();
  }

  void layer_kind(PhaseGraph& g, bool global, bool experts) const {
    const double count = layers_.count(global, experts);
    if (count == 0) return;
    const std::string ffn = global ? "global_" : "swa_", name = ffn + (experts ? "" : "dense_");
    const AttentionKind kind = attention_kind(global, g.ranks().tp);
    const int64_t h = g.hidden();
    g.norm(name + "attn_norm", count);
    g.gemm(name + "qkv_gemm", count, {kind.qkv_out, h}, g.quant().gemm);
    g.attention(count, kind.traits);
    if (layers_.head_gate) {
      g.gemm(name + "attn_gate_gemm", count, {kind.traits.heads, h}, g.quant().gemm);
      g.elementwise(name + "attn_gate", count, kind.proj_in + kind.traits.heads, kind.proj_in);
    }
    g.gemm(name + "proj_gemm", count, {h, kind.proj_in}, g.quant().gemm, {.low_precision_input = true});
    g.norm(name + (experts ? "moe_norm" : "ffn_norm"), count);
    if (!experts)
      return dense(g, ffn, count,
                   (layers_.dense_inter > 0 ? layers_.dense_inter : sizes().inter) / g.ranks().tp);
    // Context-parallel ranks gather in prefill only, in decode they are told apart.
    const bool shares = g.ranks().cp > 1;
    add_expert_block(g, expert_block(g, kSkew), count, ffn,
                     {.phase_aware = shares, .split_in_generation = shares, .untyped = true});
  }

  void dense(PhaseGraph& g, const std::string& name, double count, int64_t inter) const {
    g.gemm(name + "dense_gate_up_gemm", count, {2 * inter, g.hidden()}, g.quant().gemm);
    g.elementwise(name + "dense_act", count, 2 * inter, inter);
    g.gemm(name + "dense_down_gemm", count, {g.hidden(), inter}, g.quant().gemm,
           {.low_precision_input = true});
  }

  bool step3_;
  HybridLayers layers_;
  int64_t shared_inter_;
};

}  // namespace

std::unique_ptr<ServedModel> make_hybrid_moe(const Checkpoint& checkpoint) {
  return std::make_unique<HybridMoe>(checkpoint, false);
}

std::unique_ptr<ServedModel> make_step3(const Checkpoint& checkpoint) {
  return std::make_unique<HybridMoe>(checkpoint, true);
}

}  // namespace perfatlas::estimate
