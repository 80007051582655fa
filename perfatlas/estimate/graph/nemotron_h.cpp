// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.01";

struct MambaSizes {
  int64_t heads = 0, head_dim = 0, state = 0, conv = 0, groups = 0, chunk = 0;
};

/// One letter per layer: M Mamba2, * attention, E experts, - feed-forward.
std::string layer_pattern(const HfConfig& config) {
  if (const auto written = config.text_if("hybrid_override_pattern")) return *written;
  std::string pattern;
  for (const std::string& type : config.texts("layers_block_type")) {
    if (type == "mamba")
      pattern += 'M';
    else if (type == "attention")
      pattern += '*';
    else if (type == "moe")
      pattern += 'E';
    else if (type == "mlp" || type == "dense" || type == "ffn")
      pattern += '-';
    else
      throw Error(
          fmt::format("{}: layers_block_type has '{}', expected mamba, attention, moe, mlp, dense or ffn",
                      config.origin(), type));
  }
  if (pattern.empty())
    throw Error(fmt::format("{}: key 'hybrid_override_pattern' is missing", config.origin()));
  return pattern;
}

class NemotronH final : public ServedModel {
 public:
  explicit NemotronH(const Checkpoint& checkpoint) : ServedModel(checkpoint) {
    const HfConfig& config = checkpoint.config;
    const std::string pattern = layer_pattern(config);
    const auto layers = [&](char kind) { return double(std::count(pattern.begin(), pattern.end(), kind)); };
    mamba_layers_ = layers('M');
    attention_layers_ = layers('*');
    expert_layers_ = layers('E');
    dense_layers_ = layers('-');
    mamba_ = {config.positive("mamba_num_heads"), config.positive("mamba_head_dim"),
              config.positive("ssm_state_size"),  config.positive("conv_kernel"),
              config.positive("n_groups"),        config.positive("chunk_size")};
    shared_inter_ = config.integer_or("moe_shared_expert_intermediate_size", 0);
    latent_ = config.integer_or("moe_latent_size", 0);
  }

  Family family() const override { return Family::nemotron_h; }
  bool has_experts() const override { return expert_layers_ > 0; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

 protected:
  bool splits_prompts() const override { return false; }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    g.embedding(sizes().vocab);
    if (mamba_layers_ > 0) mamba(g);
    if (attention_layers_ > 0) attention(g);
    if (expert_layers_ > 0) experts(g);
    if (dense_layers_ > 0) dense(g);
    g.p2p();
    g.logits();
    return g.take();
  }

  void mamba(PhaseGraph& g) const {
    const int64_t tp = g.ranks().tp, heads = mamba_.heads / tp, inner = heads * mamba_.head_dim;
    const int64_t groups = std::max<int64_t>(1, mamba_.groups / tp);
    const int64_t out = 2 * inner + 2 * groups * mamba_.state + heads;
    g.norm("mamba_norm", mamba_layers_);
    g.gemm("mamba_in_proj_gemm", mamba_layers_, {out, g.hidden()}, g.quant().gemm);
    kernel(g, "mamba_conv1d", g.context() ? "causal_conv1d_fn" : "causal_conv1d_update");
    kernel(g, "mamba_ssm", g.context() ? "mamba_chunk_scan_combined" : "selective_state_update");
    g.gemm("mamba_out_proj_gemm", mamba_layers_, {g.hidden(), inner}, g.quant().gemm);
    g.all_reduce("mamba_ar", mamba_layers_);
  }

  /// Kernels are keyed by the heads of the whole model.
  void kernel(PhaseGraph& g, const std::string& name, const std::string& source) const {
    aic::Mamba2 op;
    op.name = name;
    op.kernel_source = source;
    op.phase = g.context() ? aic::SsmPhase::context : aic::SsmPhase::generation;
    op.d_model = g.hidden();
    op.nheads = mamba_.heads;
    op.head_dim = mamba_.head_dim;
    op.d_state = mamba_.state;
    op.d_conv = mamba_.conv;
    op.n_groups = mamba_.groups;
    op.chunk_size = mamba_.chunk;
    g.add(op, mamba_layers_);
  }

  void attention(PhaseGraph& g) const {
    const int64_t tp = g.ranks().tp, d = sizes().head_dim, h = g.hidden();
    const int64_t kv = sizes().kv_heads_per_rank(tp), width = sizes().heads * d / tp;
    g.norm("attn_norm", attention_layers_);
    g.gemm("qkv_gemm", attention_layers_, {width + 2 * d * kv, h}, g.quant().gemm);
    g.attention(attention_layers_, {sizes().heads / tp, kv, d});
    g.gemm("proj_gemm", attention_layers_, {h, width}, g.quant().gemm, {.low_precision_input = true});
    g.all_reduce("attn_ar", attention_layers_);
  }

  void experts(PhaseGraph& g) const {
    const int64_t tp = g.ranks().tp, h = g.hidden(), shared = shared_inter_ / tp;
    const double count = expert_layers_;
    ExpertBlock block = expert_block(g, kSkew);
    if (latent_ > 0) block.hidden = latent_;
    block.gated = false;
    g.norm("moe_norm", count);
    g.gemm("shared_up_gemm", count, {shared, h}, g.quant().gemm);
    g.elementwise("shared_relu2", count, shared, shared);
    g.gemm("shared_down_gemm", count, {h, shared}, g.quant().gemm, {.low_precision_input = true});
    g.gemm("router_gemm", count, {block.experts, h}, aic::QuantMode::bfloat16);
    if (latent_ > 0) g.gemm("fc1_latent_proj_gemm", count, {latent_ / tp, h}, g.quant().gemm);
    g.add(dispatch(g, block, "moe_pre_dispatch", true), count);
    g.add(routed_experts(g, block, "moe"), count);
    g.add(dispatch(g, block, "moe_post_dispatch", false), count);
    if (latent_ > 0)
      g.gemm("fc2_latent_proj_gemm", count, {h, latent_ / tp}, g.quant().gemm, {.low_precision_input = true});
    g.all_reduce("moe_ar", count);
  }

  void dense(PhaseGraph& g) const {
    const int64_t inter = sizes().inter / g.ranks().tp, h = g.hidden();
    g.norm("mlp_norm", dense_layers_);
    g.gemm("mlp_up_gemm", dense_layers_, {inter, h}, g.quant().gemm);
    g.elementwise("mlp_relu2", dense_layers_, inter, inter);
    g.gemm("mlp_down_gemm", dense_layers_, {h, inter}, g.quant().gemm);
    g.all_reduce("mlp_ar", dense_layers_);
  }

  MambaSizes mamba_;
  double mamba_layers_ = 0, attention_layers_ = 0, expert_layers_ = 0, dense_layers_ = 0;
  int64_t shared_inter_ = 0, latent_ = 0;
};

}  // namespace

std::unique_ptr<ServedModel> make_nemotron_h(const Checkpoint& checkpoint) {
  return std::make_unique<NemotronH>(checkpoint);
}

}  // namespace perfatlas::estimate
