// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/estimate/graph/deepseek_impl.h"
#include "perfatlas/estimate/graph/families.h"

namespace perfatlas::estimate {
namespace {

constexpr double kDependentLaunchFactor = 0.9;  // as in DeepSeek-V3's wide graph
constexpr int64_t kIndexBlock = 128;            // keys of the indexer that share a scale of four bytes

/// The share of layers that compute their own selection; the others reuse an earlier layer's.
double full_layer_fraction(const HfConfig& config, int64_t layers) {
  const int64_t every = std::max<int64_t>(1, config.integer_or("index_topk_freq", 1));
  const auto pattern = config.text_if("index_topk_pattern");
  if (every <= 1 && !pattern) return 1;
  const bool has_offset = config.has("index_skip_topk_offset");
  const int64_t offset = has_offset ? config.integer_or("index_skip_topk_offset", 0) : 2;
  int64_t full = 0;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const bool reuses = pattern ? layer < int64_t(pattern->size()) && (*pattern)[size_t(layer)] == 'S'
                                : std::max<int64_t>(layer - offset + 1, 0) % every != 0;
    full += reuses ? 0 : 1;
  }
  return double(full) / double(layers);
}

class DeepSeekV32 final : public ServedModel {
 public:
  explicit DeepSeekV32(const Checkpoint& checkpoint)
      : ServedModel(checkpoint),
        widths_(latent_widths(checkpoint.config)),
        index_head_dim_(checkpoint.config.positive("index_head_dim")),
        full_fraction_(full_layer_fraction(checkpoint.config, sizes().layers)),
        excluded_(excluded_projections(checkpoint)),
        shared_excluded_(excludes(checkpoint, "shared_expert")) {}

  Family family() const override { return Family::deepseek_v32; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    const double index = double(index_head_dim_ + (index_head_dim_ + kIndexBlock - 1) / kIndexBlock * 4);
    const double latent = double(widths_.kv_lora) * aic::profile_of(deployment.quant.kv).bytes;
    return double(sizes().layers * tokens) * (latent + double(widths_.rope) * 2 + index);
  }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which, /*split_tokens=*/false);
    const bool wide = deployment.transport.used();
    if (wide && deployment.framework == Framework::sglang) {
      wide_sglang(g);
      return g.take();
    }
    const bool wide_trtllm = wide && deployment.framework == Framework::trtllm;
    const double layers = double(sizes().layers) * (wide_trtllm && !g.context() ? kDependentLaunchFactor : 1);
    const int64_t norm_divisor = wide_trtllm ? 1 : g.context_ranks();
    g.embedding(sizes().vocab);
    g.elementwise("add_norm_1", layers, 2 * g.hidden(), 2 * g.hidden(), norm_divisor);
    attention(g, layers);
    g.elementwise("add_norm_2", layers, 2 * g.hidden(), 2 * g.hidden(), norm_divisor);
    if (wide)
      add_wide_expert_block(g, experts(g), layers);
    else
      feed_forward(g);
    g.logits();
    g.p2p();
    return g.take();
  }

  void wide_sglang(PhaseGraph& g) const {
    const double layers = double(sizes().layers), width = double(g.hidden());
    const int64_t tp = g.ranks().tp;
    const bool gathers = g.context() && tp > 1;
    if (gathers) g.collective("tp_all_gather", layers, "all_gather", width, tp, aic::QuantMode::half);
    attention(g, layers);
    if (gathers) g.collective("tp_reduce_scatter", layers, "reduce_scatter", width, tp, aic::QuantMode::half);
    const ExpertTransport& transport = g.deployment().transport;
    const std::string& library = g.context() ? transport.context : transport.generation;
    PhaseGraph block(sizes(), g.deployment(), g.context() ? Phase::context : Phase::generation);
    add_wide_expert_block(block, experts(g), layers, /*router=*/!library.starts_with("deepep"));
    g.append(block.take());
  }

  void attention(PhaseGraph& g, double count) const {
    const ProjectionModes modes = projection_modes(excluded_, g.quant().gemm);
    const bool uniform = modes.uniform() && modes.o == modes.indexer;
    aic::DsaModule op;
    op.name = "attention";
    op.context = g.context();
    op.num_heads = sizes().heads / g.ranks().tp;
    op.kv_quant = g.quant().kv;
    op.fmha_quant = g.quant().fmha;
    op.gemm_quant = uniform ? modes.q : modes.o;
    op.projections = {modes.q, modes.kv, modes.o, modes.indexer};
    op.architecture = checkpoint().architecture();
    op.cp_size = g.context_ranks();
    op.full_fraction = g.deployment().framework == Framework::sglang ? full_fraction_ : 1;
    g.add(op, count);
  }

  /// Only TensorRT-LLM's wide graph keeps the shared experts' own mode.
  ExpertBlock experts(const PhaseGraph& g) const {
    ExpertBlock block = expert_block(g, kDeepSeekSkew);
    block.shared_experts = 1;
    const bool own_mode = !g.deployment().transport.used() || g.deployment().framework == Framework::trtllm;
    if (own_mode && shared_excluded_) block.shared_quant = aic::QuantMode::bfloat16;
    return block;
  }

  /// Shared experts are split as the routed ones are.
  void feed_forward(PhaseGraph& g) const {
    const double layers = double(sizes().layers);
    const ExpertBlock block = experts(g);
    const int64_t width = block.inter / g.ranks().expert_tp(), up = 2 * block.inter / g.ranks().expert_tp();
    PhaseGraph shared = g.fork(), routed = g.fork();
    shared.gemm("shared_gate_up_gemm", layers, {up, g.hidden()}, block.shared_quant);
    shared.elementwise("shared_act_gate", layers, up, width);
    shared.gemm("shared_ffn2_gemm", layers, {g.hidden(), width}, block.shared_quant);
    ExpertBlock alone = block;
    alone.shared_experts = 0;
    add_expert_block(routed, alone, layers, {}, {.phase_aware = true, .split_in_generation = true});
    if (!g.context()) return g.add_group(aic::Overlap{"moe_overlap", routed.take(), shared.take()});
    g.append(shared.take());
    g.append(routed.take());
  }

  LatentWidths widths_;
  int64_t index_head_dim_;
  double full_fraction_;
  ExcludedProjections excluded_;
  bool shared_excluded_;
};

}  // namespace

std::unique_ptr<ServedModel> make_deepseek_v32(const Checkpoint& checkpoint) {
  return std::make_unique<DeepSeekV32>(checkpoint);
}

}  // namespace perfatlas::estimate
