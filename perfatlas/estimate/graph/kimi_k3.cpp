// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/kimi_k3_sizes.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.01";

/// The draft model is a list of its own; its layers do not multiply the model's.
Deployment without_draft_layers(Deployment deployment) {
  deployment.drafted_tokens = 0;
  return deployment;
}

class KimiK3 final : public ServedModel {
 public:
  explicit KimiK3(const Checkpoint& checkpoint)
      : ServedModel(checkpoint), k_(read_kimi_k3(checkpoint, sizes())) {
    topk_ = sizes().topk;
  }

  Family family() const override { return Family::kimi_k3; }

  StepGraph graph(const Deployment& deployment) const override {
    StepGraph graph{phase(deployment, Phase::context), phase(deployment, Phase::generation)};
    if (deployment.drafted_tokens > 0)
      for (aic::Op& op : draft(deployment)) graph.generation.push_back(std::move(op));
    return graph;
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    const int64_t tp = deployment.parallel.tp;
    int64_t elements = k_.latent_layers * (k_.latent.kv_lora + k_.latent.rope);
    if (deployment.drafted_tokens > 0)
      elements += KimiK3Draft::kLayers *
                  (deployment.framework == Framework::vllm
                       ? KimiK3Draft::kLatent.kv_lora + KimiK3Draft::kLatent.rope
                       : 2 * std::max<int64_t>(1, KimiK3Draft::kKvHeads / tp) * KimiK3Draft::kHeadDim);
    const int64_t heads = std::max<int64_t>(1, k_.delta_heads / tp);
    const int64_t state = heads * k_.delta_dim * k_.delta_dim * 4;  // float32
    const int64_t conv = (k_.delta_conv - 1) * 3 * heads * k_.delta_dim * 2;
    return double(tokens * elements) * aic::profile_of(deployment.quant.kv).bytes +
           double(k_.delta_layers * (state + conv) * kDeltaStatesPerRequest);
  }

 protected:
  bool splits_prompts() const override { return false; }
  std::string why_not_special(const Deployment& deployment) const override {
    if (k_.delta_heads % deployment.parallel.tp == 0) return {};
    return fmt::format("tp {} does not divide {} heads of delta attention; choose a tp that does",
                       deployment.parallel.tp, k_.delta_heads);
  }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), without_draft_layers(deployment), which);
    const int64_t h = g.hidden();
    g.embedding(sizes().vocab / g.ranks().tp);
    g.all_reduce("embedding_ar", 1);
    if (k_.delta_layers > 0) delta_attention(g, deployment.drafted_tokens);
    if (k_.latent_layers > 0) latent_attention(g);
    if (k_.residual_block > 0) g.elementwise("attn_res", double(2 * sizes().layers), 4 * h, 2 * h);
    feed_forward(g);
    g.logits();
    g.p2p();
    return g.take();
  }

  bool vllm(const PhaseGraph& g) const { return g.deployment().framework == Framework::vllm; }

  void delta_attention(PhaseGraph& g, int64_t drafted) const {
    const double count = double(k_.delta_layers);
    const int64_t h = g.hidden(), width = k_.delta_heads / g.ranks().tp * k_.delta_dim;
    const aic::QuantMode quant = g.quant().gemm;
    g.norm("kda_norm", count);
    g.gemm("kda_qkvg_gemm", count, {4 * width, h}, quant);
    g.gemm("kda_bfa_gemm", count, {k_.delta_heads + k_.delta_dim, h}, quant);
    g.gemm("kda_fb_gemm", count, {width, k_.delta_dim}, quant);
    delta_kernels(g, drafted);
    // vLLM's decode kernel does the output norm itself.
    if (g.context() || !vllm(g) || drafted > 0) g.elementwise("kda_onorm", count, 2 * width, width);
    g.gemm("kda_o_gemm", count, {h, width}, quant, {.low_precision_input = true});
    g.all_reduce("kda_ar", count);
  }

  void delta_kernels(PhaseGraph& g, int64_t drafted) const {
    using enum aic::SsmPhase;
    if (g.context()) {
      delta_kernel(g, "kda_conv1d", "causal_conv1d_fn_qkv3", aic::SsmPhase::context, 0);
      delta_kernel(g, "kda_scan", vllm(g) ? "flashkda_fwd" : "chunk_kda", aic::SsmPhase::context, 0);
    } else if (drafted > 0) {
      delta_kernel(g, "kda_conv1d", "causal_conv1d_update", verify, drafted + 1);
      delta_kernel(g, "kda_verify",
                   vllm(g) ? "fused_recurrent_kda" : "fused_sigmoid_gating_delta_rule_update", verify,
                   drafted + 1);
    } else if (vllm(g)) {
      delta_kernel(g, "kda_fused_decode", "fused_kda_decode", generation, 0);
    } else {
      delta_kernel(g, "kda_conv1d", "causal_conv1d_update", generation, 0);
      delta_kernel(g, "kda_recurrent", "fused_recurrent_kda_packed_decode", generation, 0);
    }
  }

  void delta_kernel(PhaseGraph& g, const std::string& name, const std::string& source, aic::SsmPhase phase,
                    int64_t draft_tokens) const {
    aic::Kda op;
    op.name = name;
    op.kernel_source = source;
    op.phase = phase;
    op.d_model = g.hidden();
    op.d_conv = k_.delta_conv;
    op.num_k_heads = op.num_v_heads = k_.delta_heads / g.ranks().tp;
    op.head_k_dim = op.head_v_dim = k_.delta_dim;
    op.draft_tokens = draft_tokens;
    g.add(op, double(k_.delta_layers));
  }

  void latent_attention(PhaseGraph& g) const {
    const double count = double(k_.latent_layers);
    const int64_t h = g.hidden(), out = sizes().heads * k_.latent.v, tp = g.ranks().tp;
    g.norm("mla_norm", count);
    g.gemm("mla_downscale_gemm", count, {k_.latent.downscale(), h}, g.quant().gemm);
    PhaseGraph kernels = g.fork();
    latent_kernels(kernels);
    if (vllm(g)) {
      aic::MlaModule module{{"mla_module"}, g.context(),    sizes().heads / tp, g.quant().kv,
                            g.quant().fmha, g.quant().gemm, sizes().heads};
      PhaseGraph primary = g.fork();
      primary.add(module, count);
      g.add_group(aic::Fallback{"mla_block", primary.take(), kernels.take()});
    } else {
      g.append(kernels.take());
    }
    g.gemm("mla_gate_gemm", count, {out / tp, h}, g.quant().gemm);
    g.elementwise("mla_gate_mul", count, 2 * out / tp, out / tp);
    g.all_reduce("mla_ar", count);
  }

  void latent_kernels(PhaseGraph& g) const {
    const double count = double(k_.latent_layers);
    const int64_t tp = g.ranks().tp, heads = sizes().heads;
    const LatentWidths& w = k_.latent;
    const aic::QuantMode quant = g.quant().gemm;
    const aic::QuantMode bmm = quant == aic::QuantMode::bfloat16 ? quant : aic::QuantMode::fp8;
    g.gemm("mla_q_b_gemm", count, {heads * (w.nope + w.rope) / tp, w.q_lora}, quant);
    if (g.context()) g.gemm("mla_kv_b_gemm", count, {heads * (w.nope + w.v) / tp, w.kv_lora}, quant);
    if (vllm(g)) {
      g.attention(count, {heads / tp, sizes().kv_heads / tp, w.v});
    } else if (g.context()) {
      g.add(aic::ContextMla{{"attention"}, heads / tp, g.quant().kv, g.quant().fmha, 1}, count);
    } else {
      g.add(aic::MlaBmm{{"bmm_pre"}, heads / tp, bmm, true}, count);
      g.add(aic::GenerationMla{{"attention"}, heads / tp, g.quant().kv}, count);
      g.add(aic::MlaBmm{{"bmm_post"}, heads / tp, bmm, false}, count);
    }
    g.gemm("mla_o_gemm", count, {g.hidden(), heads * w.v / tp}, quant, {.low_precision_input = true});
  }

  /// Router, latent projections and shared experts are kept in bfloat16.
  void feed_forward(PhaseGraph& g) const {
    const int64_t tp = g.ranks().tp, h = g.hidden(), inter = sizes().inter;
    const double dense = double(k_.dense_layers), moe = double(sizes().layers - k_.dense_layers);
    const aic::QuantMode bf16 = aic::QuantMode::bfloat16;
    g.norm("ffn_norm", double(sizes().layers));
    if (dense > 0) {
      g.gemm("dense_gate_up_gemm", dense, {2 * inter / tp, h}, g.quant().gemm);
      g.elementwise("dense_act_gate", dense, 2 * inter / tp, inter / tp);
      g.gemm("dense_down_gemm", dense, {h, inter / tp}, g.quant().gemm, {.low_precision_input = true});
      g.all_reduce("dense_ffn_ar", dense);
    }
    if (moe <= 0) return;
    ExpertBlock block = expert_block(g, kSkew);
    block.topk = topk_;
    if (k_.expert_hidden > 0) block.hidden = k_.expert_hidden;
    g.gemm("router_gemm", moe, {block.experts, h}, bf16);
    g.gemm("latent_down_gemm", moe, {block.hidden, h}, bf16);
    g.elementwise("latent_norm", moe, 2 * block.hidden, 2 * block.hidden);
    g.add(dispatch(g, block, "moe_pre_dispatch", true), moe);
    g.add(routed_experts(g, block, "moe"), moe);
    g.add(dispatch(g, block, "moe_post_dispatch", false), moe);
    g.gemm("latent_up_gemm", moe, {h, block.hidden}, bf16);
    const int64_t shared = k_.shared_experts * sizes().expert_inter;
    if (shared == 0) return;
    g.gemm("shared_gate_up_gemm", moe, {2 * shared / tp, h}, bf16);
    g.elementwise("shared_act_gate", moe, 2 * shared / tp, shared / tp);
    g.gemm("shared_down_gemm", moe, {h, shared / tp}, bf16);
  }

  /// The draft model proposes all tokens at once and once per verification: its ops see drafted + 1 tokens per request
  /// in the list, so that counts are reduced to what it really sees.
  std::vector<aic::Op> draft(const Deployment& deployment) const;

  KimiK3Sizes k_;
  int64_t topk_;
};

std::vector<aic::Op> KimiK3::draft(const Deployment& deployment) const {
  PhaseGraph g(sizes(), without_draft_layers(deployment), Phase::generation);
  const double per_step = 1.0 / double(deployment.drafted_tokens + 1);
  const double once = double(deployment.drafted_tokens) * per_step,
               layers = double(KimiK3Draft::kLayers) * once;
  const int64_t tp = g.ranks().tp, h = g.hidden(), inter = KimiK3Draft::kInter;
  const aic::QuantMode quant = g.quant().gemm;
  g.add(aic::Embedding{{"embedding"}, sizes().vocab / tp, h, aic::QuantMode::bfloat16, 1}, once);
  g.norm("norm", 2 * layers);
  int64_t heads = KimiK3Draft::kHeads / tp, kv_width = 0;
  if (deployment.framework == Framework::vllm) {
    const LatentWidths& w = KimiK3Draft::kLatent;
    kv_width = w.kv_lora + w.rope;
    g.gemm("downscale_gemm", layers, {w.q_lora + kv_width, h}, quant);
    g.gemm("q_b_gemm", layers, {KimiK3Draft::kHeads * (w.nope + w.rope) / tp, w.q_lora}, quant);
    g.attention(layers, {heads, heads, w.v});
    g.gemm("proj_gemm", layers, {h, KimiK3Draft::kHeads * w.v / tp}, quant, {.low_precision_input = true});
  } else {
    const int64_t d = KimiK3Draft::kHeadDim, kv = KimiK3Draft::kKvHeads;
    kv_width = 2 * kv * d / tp;
    g.gemm("qkv_gemm", layers, {(KimiK3Draft::kHeads + 2 * kv) * d / tp, h}, quant);
    g.attention(layers, {heads, std::max<int64_t>(1, kv / tp), d});
    g.gemm("proj_gemm", layers, {h, KimiK3Draft::kHeads * d / tp}, quant, {.low_precision_input = true});
  }
  g.gemm("gate_up_gemm", layers, {2 * inter / tp, h}, quant);
  g.elementwise("act_gate", layers, 2 * inter / tp, inter / tp);
  g.gemm("down_gemm", layers, {h, inter / tp}, quant, {.low_precision_input = true});
  g.all_reduce("ar", 2 * layers);
  g.gemm("kv_proj_gemm", double(KimiK3Draft::kLayers) * per_step, {kv_width, h}, quant);
  g.gemm("logits_gemm", per_step, {sizes().vocab / tp, h}, aic::QuantMode::bfloat16);
  return g.take_as("draft_");
}

}  // namespace

std::unique_ptr<ServedModel> make_kimi_k3(const Checkpoint& checkpoint) {
  return std::make_unique<KimiK3>(checkpoint);
}

}  // namespace perfatlas::estimate
