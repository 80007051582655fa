// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/deepseek_impl.h"
#include "perfatlas/estimate/graph/families.h"

namespace perfatlas::estimate {
namespace {

// The fused graph uses the widths of DeepSeek-V3, which its tables were measured with, whatever the configuration says.
constexpr int64_t kDownscale = 2112, kQueryLora = 1536, kKvLora = 512;
constexpr int64_t kQueryHead = 192, kKvHead = 256, kValueHead = 128;

class DeepSeek final : public ServedModel {
 public:
  explicit DeepSeek(const Checkpoint& checkpoint)
      : ServedModel(checkpoint),
        kimi_(checkpoint.architecture() == "KimiK25ForConditionalGeneration"),
        widths_(latent_widths(checkpoint.config)),
        v_head_dim_(checkpoint.config.integer_or("v_head_dim", 0)),
        excluded_(excluded_projections(checkpoint)),
        shared_excluded_(excludes(checkpoint, "shared_expert")) {}

  Family family() const override { return kimi_ ? Family::kimi_k25 : Family::deepseek; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    return double(tokens) * latent_kv_bytes_per_token(sizes(), widths_, deployment.quant.kv);
  }

 private:
  LatentBlock latent_block(const QuantModes& quant) const {
    const ProjectionModes modes = projection_modes(excluded_, quant.gemm);
    const bool bf16 = modes.kv == aic::QuantMode::bfloat16 || quant.gemm == aic::QuantMode::bfloat16;
    return {widths_, modes, bf16 ? aic::QuantMode::bfloat16 : aic::QuantMode::fp8,
            v_head_dim_ > 0 ? v_head_dim_ : sizes().head_dim};
  }

  ExpertBlock experts(const PhaseGraph& g) const {
    ExpertBlock block = expert_block(g, kDeepSeekSkew);
    block.shared_experts = 1;
    if (shared_excluded_ && !g.quant().gemm_is_explicit) block.shared_quant = aic::QuantMode::bfloat16;
    return block;
  }

  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    const double layers = double(sizes().layers);
    const LatentBlock block = latent_block(g.quant());
    const ExpertBlock moe = experts(g);
    const bool wide = deployment.transport.used();
    if (wide && deployment.framework == Framework::trtllm) add_deepseek_wide_trtllm(g, block, moe);
    if (wide && deployment.framework == Framework::sglang) add_deepseek_wide_sglang(g, block, moe);
    if (wide && deployment.framework != Framework::vllm) return g.take();
    g.embedding(sizes().vocab);
    g.norm("add_norm_1", layers);
    attention(g, block);
    g.share_kv(layers, latent_kv_bytes_per_token(sizes(), widths_, g.quant().kv) / layers);
    g.norm("add_norm_2", layers);
    if (wide)
      add_wide_expert_block(g, moe, layers);
    else
      feed_forward(g, moe);
    g.logits();
    // vLLM's dispatch charges all-reduces already; these come on top.
    if (deployment.framework == Framework::vllm) g.all_reduce("tp_allreduce", 2 * layers);
    g.p2p();
    return g.take();
  }

  void feed_forward(PhaseGraph& g, const ExpertBlock& block) const {
    const double layers = double(sizes().layers);
    const int64_t tp = g.ranks().tp, h = g.hidden();
    const DispatchTraits traits{.phase_aware = true, .split_in_generation = true};
    PhaseGraph shared = g.fork(), routed = g.fork();
    shared.gemm("shared_gate_up_gemm", layers, {2 * block.inter / tp, h}, block.shared_quant);
    shared.elementwise("shared_act_gate", layers, 2 * block.inter / tp, block.inter / tp);
    shared.gemm("shared_ffn2_gemm", layers, {h, block.inter / tp}, block.shared_quant);
    ExpertBlock alone = block;
    alone.shared_experts = 0;
    add_expert_block(routed, alone, layers, {}, traits);
    if (!g.context()) return g.add_group(aic::Overlap{"moe_overlap", routed.take(), shared.take()});
    g.append(shared.take());
    g.append(routed.take());
  }

  /// The block as measured where all projections have one mode, else (and where it was not measured) its kernels.
  void attention(PhaseGraph& g, const LatentBlock& block) const {
    PhaseGraph kernels = g.fork();
    attention_kernels(kernels, block);
    if (!block.modes.uniform()) return g.append(kernels.take());
    aic::MlaModule module;
    module.name = "mla_module";
    module.context = g.context();
    module.num_heads = sizes().heads / g.ranks().tp;
    module.kv_quant = g.quant().kv;
    module.fmha_quant = g.quant().fmha;
    module.gemm_quant = block.modes.o;
    module.native_num_heads = sizes().heads;
    PhaseGraph primary = g.fork();
    primary.add(module, double(sizes().layers) / double(g.context_ranks()));
    g.add_group(aic::Fallback{"mla_block", primary.take(), kernels.take()});
  }

  void attention_kernels(PhaseGraph& g, const LatentBlock& block) const {
    const double layers = double(sizes().layers);
    const int64_t tp = g.ranks().tp, heads = sizes().heads;
    const bool vllm = g.deployment().framework == Framework::vllm;
    g.gemm("downscale_gemm", layers, {kDownscale, g.hidden()}, block.modes.downscale);
    g.gemm("q_b_proj_gemm", layers, {heads * kQueryHead / tp, kQueryLora}, block.modes.q);
    if (g.context()) g.gemm("kv_b_proj_gemm", layers, {heads * kKvHead / tp, kKvLora}, block.modes.kv);
    if (vllm) {
      g.attention(layers / double(g.context_ranks()),
                  {heads / tp, sizes().kv_heads / tp, block.vllm_head_dim});
    } else if (g.context()) {
      g.add(
          aic::ContextMla{
              {"attention"}, aic::kLatentTableHeads / tp, g.quant().kv, g.quant().fmha, g.context_ranks()},
          layers);
    } else {
      g.add(aic::MlaBmm{{"bmm_pre"}, heads / tp, block.bmm, true}, layers);
      g.add(aic::GenerationMla{{"attention"}, aic::kLatentTableHeads / tp, g.quant().kv}, layers);
      g.add(aic::MlaBmm{{"bmm_post"}, heads / tp, block.bmm, false}, layers);
    }
    g.gemm("proj_gemm", layers, {g.hidden(), heads * kValueHead / tp}, block.modes.o);
  }

  bool kimi_;
  LatentWidths widths_;
  int64_t v_head_dim_;
  ExcludedProjections excluded_;
  bool shared_excluded_;
};

}  // namespace

double latent_kv_bytes_per_token(const ModelSizes& sizes, const LatentWidths& widths, aic::QuantMode kv) {
  return double(sizes.layers * (widths.kv_lora + widths.rope)) * aic::profile_of(kv).bytes;
}

std::unique_ptr<ServedModel> make_deepseek(const Checkpoint& checkpoint) {
  return std::make_unique<DeepSeek>(checkpoint);
}

}  // namespace perfatlas::estimate
