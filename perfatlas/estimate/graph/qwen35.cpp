// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/exclusions.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.2";
/// The router of fewer experts is part of the measured expert kernels.
constexpr int64_t kExpertsWithRouter = 128;

/// Heads and widths of the gated delta nets of the whole model.
struct DeltaNet {
  int64_t k_heads = 0, k_dim = 0, v_heads = 0, v_dim = 0, conv = 0;
  std::string state_dtype = "float32";
};

std::string state_dtype(const Checkpoint& checkpoint) {
  for (const HfConfig* config : {&checkpoint.config, &checkpoint.root})
    if (const auto written = config->text_if("mamba_ssm_dtype"))
      return *written == "bfloat16" || *written == "float16" ? *written : "float32";
  return "float32";
}

class Qwen35 final : public ServedModel {
 public:
  explicit Qwen35(const Checkpoint& checkpoint)
      : ServedModel(checkpoint),
        shared_inter_(checkpoint.config.integer_or("shared_expert_intermediate_size", 0)) {
    const HfConfig& config = checkpoint.config;
    const std::vector<std::string> types = config.texts("layer_types");
    if (int64_t(types.size()) != sizes().layers)
      throw Error(fmt::format("{}: layer_types has {} entries for {} layers", config.origin(), types.size(),
                              sizes().layers));
    if (sizes().experts == 0) (void)config.positive("intermediate_size");
    linear_layers_ = std::count(types.begin(), types.end(), "linear_attention");
    full_layers_ = std::count(types.begin(), types.end(), "full_attention");
    net_ = {config.positive("linear_num_key_heads"),   config.positive("linear_key_head_dim"),
            config.positive("linear_num_value_heads"), config.positive("linear_value_head_dim"),
            config.positive("linear_conv_kernel_dim"), state_dtype(checkpoint)};
  }

  Family family() const override { return Family::qwen35; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    const int64_t tp = deployment.parallel.tp;
    const double per_token = double(full_layers_ * 2 * sizes().kv_heads_per_rank(tp) * sizes().head_dim);
    const double state_bytes = net_.state_dtype == "float32" ? 4 : 2;
    const double state = double(net_.v_heads / tp * net_.k_dim * net_.v_dim) * state_bytes;
    const int64_t conv_width = (2 * net_.k_heads * net_.k_dim + net_.v_heads * net_.v_dim) / tp;
    const double conv = double(conv_width * (net_.conv - 1)) * 2;
    return double(tokens) * aic::profile_of(deployment.quant.kv).bytes * per_token +
           double(linear_layers_) * (state + conv);
  }

 protected:
  bool splits_prompts() const override { return false; }

  std::string why_not_special(const Deployment& deployment) const override {
    const int64_t tp = deployment.parallel.tp;
    if (net_.k_heads % tp == 0 && net_.v_heads % tp == 0) return {};
    return fmt::format(
        "tp {} does not divide {} key and {} value heads of the delta nets; choose a tp that does", tp,
        net_.k_heads, net_.v_heads);
  }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    const LinearModes modes = linear_modes(checkpoint(), g.quant());
    g.embedding(sizes().vocab / g.ranks().tp);
    g.all_reduce("embedding_ar", 1);
    if (linear_layers_ > 0) {
      delta_net(g, modes.projection);
      feed_forward(g, "gdn", double(linear_layers_), modes);
    }
    if (full_layers_ > 0) {
      full_attention(g, modes.projection);
      feed_forward(g, "full", double(full_layers_), modes);
    }
    g.logits();
    g.p2p();
    return g.take();
  }

  bool deepep(const PhaseGraph& g) const { return sglang(g) && g.deployment().moe_backend == "deepep_moe"; }
  bool sglang(const PhaseGraph& g) const { return g.deployment().framework == Framework::sglang; }
  /// SGLang with attention replicas and experts: the collective before the experts does the sum after attention.
  bool sums_in_dispatch(const PhaseGraph& g) const {
    return sglang(g) && !deepep(g) && has_experts() && g.ranks().dp > 1;
  }

  void delta_net(PhaseGraph& g, aic::QuantMode quant) const {
    const double count = double(linear_layers_);
    const int64_t tp = g.ranks().tp, h = g.hidden();
    const int64_t out = 2 * (net_.k_heads * net_.k_dim + net_.v_heads * net_.v_dim) / tp;
    g.norm("gdn_norm", count);
    g.gemm("gdn_in_proj_gemm", count, {out, h}, quant);
    g.gemm("gdn_in_proj_ba_gemm", count, {2 * net_.v_heads / tp, h}, quant, {.below_grid_sol = true});
    kernel(g, "gdn_conv1d", g.context() ? "causal_conv1d_fn" : "causal_conv1d_update");
    if (g.context())
      kernel(g, "gdn_scan", "chunk_gated_delta_rule");
    else
      kernel(g, "gdn_recurrence", "fused_sigmoid_gating_delta_rule_update");
    g.gemm("gdn_out_proj_gemm", count, {h, net_.v_heads * net_.v_dim / tp}, quant,
           {.low_precision_input = true});
    if (!sums_in_dispatch(g)) g.all_reduce("gdn_ar", count);
  }

  void kernel(PhaseGraph& g, const std::string& name, const std::string& source) const {
    aic::Gdn op;
    op.name = name;
    op.kernel_source = source;
    op.phase = g.context() ? aic::SsmPhase::context : aic::SsmPhase::generation;
    op.d_model = g.hidden();
    op.d_conv = net_.conv;
    op.num_k_heads = net_.k_heads / g.ranks().tp;
    op.head_k_dim = net_.k_dim;
    op.num_v_heads = net_.v_heads / g.ranks().tp;
    op.head_v_dim = net_.v_dim;
    op.state_dtype = net_.state_dtype;
    g.add(op, double(linear_layers_));
  }

  void full_attention(PhaseGraph& g, aic::QuantMode quant) const {
    const double count = double(full_layers_);
    const int64_t tp = g.ranks().tp, h = g.hidden(), d = sizes().head_dim;
    const int64_t heads = sizes().heads / tp, kv = sizes().kv_heads_per_rank(tp);
    g.norm("full_attn_norm", count);
    g.gemm("qkv_gemm", count, {2 * heads * d + 2 * kv * d, h},
           quant);  // queries come with a gate of their width
    g.attention(count, {heads, kv, d, 0, true});
    g.gemm("proj_gemm", count, {h, heads * d}, quant, {.low_precision_input = true});
    if (!sums_in_dispatch(g)) g.all_reduce("full_ar", count);
  }

  void feed_forward(PhaseGraph& g, const std::string& kind, double count, const LinearModes& modes) const {
    const int64_t tp = g.ranks().tp, h = g.hidden(), inter = sizes().inter;
    g.norm(kind + "_ffn_norm", count);
    if (has_experts()) return experts(g, kind + "_", count, modes.shared_expert);
    g.gemm(kind + "_gate_ffn1_gemm", count, {2 * inter / tp, h}, modes.dense);
    g.elementwise(kind + "_act_gate", count, 2 * inter / tp, inter / tp);
    g.gemm(kind + "_ffn2_gemm", count, {h, inter / tp}, modes.dense, {.low_precision_input = true});
    g.all_reduce(kind + "_ffn_ar", count);
  }

  void experts(PhaseGraph& g, const std::string& kind, double count, aic::QuantMode shared_quant) const {
    const ExpertBlock block = expert_block(g, kSkew);
    PhaseGraph before = g.fork(), routed = g.fork(), shared = g.fork(), after = g.fork();
    const DispatchTraits traits{.phase_aware = true, .all_reduce_modeled = true};
    if (block.experts >= kExpertsWithRouter)
      routed.gemm(kind + "router_gemm", count, {block.experts, g.hidden()}, aic::QuantMode::bfloat16);
    // SGLang without attention replicas goes into the experts without a collective.
    if (!sglang(g) || !g.deployment().moe_backend.empty() || g.ranks().dp > 1) {
      PhaseGraph& place = sglang(g) && !g.context() ? before : routed;
      place.add(dispatch(g, block, kind + "moe_pre_dispatch", true, traits), count);
    }
    aic::Moe moe = routed_experts(g, block, kind + "moe");
    moe.context = g.context();
    moe.moe_backend = g.deployment().moe_backend;
    routed.add(moe, count);
    if (!deepep(g)) after.add(dispatch(g, block, kind + "moe_post_dispatch", false, traits), count);
    if (shared_inter_ > 0) add_shared(shared, kind, count, shared_quant);
    assemble(g, kind, count, {before.take(), routed.take(), shared.take(), after.take()});
  }

  struct Parts {
    std::vector<aic::Op> before, routed, shared, after;
  };

  /// Prefill runs one after the other; decode overlaps the shared expert with the routed ones where the framework does.
  void assemble(PhaseGraph& g, const std::string& kind, double count, Parts parts) const {
    const int64_t divisor = deepep(g) && g.context() ? g.ranks().tp : 1;
    const bool merges = shared_inter_ > 0;
    const bool overlaps =
        merges && !g.context() && g.deployment().framework != Framework::trtllm && !deepep(g);
    g.append(std::move(parts.before));
    if (overlaps) {
      g.add_group(aic::Overlap{kind + "moe_overlap", std::move(parts.routed), std::move(parts.shared)});
    } else {
      g.append(std::move(parts.routed));
      if (g.context()) g.append(std::move(parts.after));
      g.append(std::move(parts.shared));
    }
    const int64_t in = (sglang(g) && !deepep(g) ? 3 : 2) * g.hidden();
    if (merges) g.elementwise(kind + "shared_merge", count, in, g.hidden(), divisor);
    if (!g.context()) g.append(std::move(parts.after));
  }

  void add_shared(PhaseGraph& g, const std::string& kind, double count, aic::QuantMode quant) const {
    const int64_t tp = deepep(g) ? 1 : g.ranks().tp, h = g.hidden();
    const int64_t divisor = deepep(g) && g.context() ? g.ranks().tp : 1;
    const bool gate = !sglang(g) || deepep(g);  // else fused into the merge
    const GemmTraits plain{.token_divisor = divisor};
    if (gate)
      g.gemm(kind + "shared_expert_gate_gemm", count, {1, h}, aic::QuantMode::bfloat16,
             {.below_grid_sol = true, .token_divisor = divisor});
    g.gemm(kind + "shared_gate_up_gemm", count, {2 * shared_inter_ / tp, h}, quant, plain);
    g.elementwise(kind + "shared_act_gate", count, 2 * shared_inter_ / tp, shared_inter_ / tp, divisor);
    g.gemm(kind + "shared_down_gemm", count, {h, shared_inter_ / tp}, quant,
           {.low_precision_input = true, .token_divisor = divisor});
    if (gate) g.elementwise(kind + "shared_expert_gate_mul", count, h, h, divisor);
  }

  DeltaNet net_;
  int64_t shared_inter_, linear_layers_ = 0, full_layers_ = 0;
};

}  // namespace

std::unique_ptr<ServedModel> make_qwen35(const Checkpoint& checkpoint) {
  return std::make_unique<Qwen35>(checkpoint);
}

}  // namespace perfatlas::estimate
