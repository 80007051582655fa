// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.01";
/// One cached entry per so many tokens: compressed sparse attention, and heavily compressed attention.
constexpr int64_t kSparseRatio = 4, kHeavyRatio = 128;
constexpr double kIndexerBytesPerElement = 0.5;
constexpr double kStateBytes = 4;  // float32

class DeepSeekV4 final : public ServedModel {
 public:
  explicit DeepSeekV4(const Checkpoint& checkpoint) : ServedModel(checkpoint) {
    const HfConfig& config = checkpoint.config;
    ratios_ = config.integers("compress_ratios");
    if (int64_t(ratios_.size()) < sizes().layers)
      throw Error(fmt::format("{}: compress_ratios has {} entries for {} layers", config.origin(),
                              ratios_.size(), sizes().layers));
    ratios_.resize(size_t(sizes().layers));
    for (const int64_t ratio : ratios_)
      if (ratio != 0 && ratio != kSparseRatio && ratio != kHeavyRatio)
        throw Error(fmt::format("{}: compress_ratios has {}, expected 0, 4 or 128", config.origin(), ratio));
    q_lora_ = config.positive("q_lora_rank");
    o_lora_ = config.positive("o_lora_rank");
    o_groups_ = config.positive("o_groups");
    rope_ = config.positive("qk_rope_head_dim");
    index_dim_ = config.positive("index_head_dim");
    index_heads_ = config.positive("index_n_heads");
    index_topk_ = config.positive("index_topk");
    window_ = config.positive("sliding_window");
    hc_mult_ = config.positive("hc_mult");
    sinkhorn_ = config.positive("hc_sinkhorn_iters");
  }

  Family family() const override { return Family::deepseek_v4; }
  int64_t activation_width() const override { return sizes().hidden; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    const double entry = double(sizes().head_dim) * aic::profile_of(deployment.quant.kv).bytes;
    double total = 0;
    for (const int64_t ratio : ratios_) {
      total += double(std::min(tokens, window_)) * entry;
      if (ratio == 0) continue;
      const double entries = double(tokens / ratio), overlap = ratio == kSparseRatio ? 2 : 1;
      total += entries * entry + 2 * double(ratio) * overlap * double(sizes().head_dim) * kStateBytes;
      if (ratio != kSparseRatio) continue;
      total += entries * double(index_dim_) * kIndexerBytesPerElement;
      total += 2 * double(ratio) * 2 * double(index_dim_) * kStateBytes;
    }
    return total;
  }

 protected:
  std::string why_not_special(const Deployment& deployment) const override {
    if (deployment.moe_backend != "megamoe") return {};
    if (deployment.framework != Framework::sglang)
      return "megamoe is a kernel of sglang; use --backend sglang";
    if (deployment.parallel.expert_tp() != 1 || deployment.parallel.expert_ep() < 2)
      return "megamoe needs --etp 1 and --ep of at least 2";
    return {};
  }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    const double layers = double(sizes().layers);
    const int64_t h = g.hidden();
    g.embedding(sizes().vocab);
    mix(g, "mhc_pre", aic::Mhc::Part::pre);
    g.elementwise("attn_norm", layers, h, h);
    attention(g);
    mix(g, "mhc_post", aic::Mhc::Part::post);
    g.elementwise("ffn_norm", layers, h, h);
    feed_forward(g);
    g.logits();
    g.p2p();
    return g.take();
  }

  void mix(PhaseGraph& g, const std::string& name, aic::Mhc::Part part) const {
    aic::Mhc op;
    op.name = name;
    op.part = part;
    op.hidden_size = g.hidden();
    op.hc_mult = hc_mult_;
    op.sinkhorn_iters = sinkhorn_;
    op.architecture = checkpoint().architecture();
    op.seq_split = g.token_split();
    g.add(op, double(sizes().layers));
  }

  /// Layers without compression are priced as heavily compressed ones. Order of first appearance.
  std::vector<std::pair<int64_t, double>> ratio_counts() const {
    std::vector<std::pair<int64_t, double>> counts;
    const auto add = [&](int64_t ratio) {
      const auto at =
          std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == ratio; });
      if (at == counts.end())
        counts.emplace_back(ratio, 1);
      else
        at->second += 1;
    };
    for (const int64_t ratio : ratios_)
      if (ratio != 0) add(ratio);
    for (const int64_t ratio : ratios_)
      if (ratio == 0) add(kHeavyRatio);
    return counts;
  }

  void attention(PhaseGraph& g) const {
    const int64_t tp = g.ranks().tp;
    for (const auto& [ratio, count] : ratio_counts()) {
      aic::Dsv4Attention op;
      op.name = "attention";
      op.context = g.context();
      op.num_heads = sizes().heads / tp;
      op.native_heads = sizes().heads;
      op.tp_size = tp;
      op.compress_ratio = ratio;
      op.hidden_size = g.hidden();
      op.q_lora_rank = q_lora_;
      op.o_lora_rank = o_lora_;
      op.head_dim = sizes().head_dim;
      op.rope_head_dim = rope_;
      op.index_n_heads = index_heads_;
      op.index_head_dim = index_dim_;
      op.index_topk = index_topk_;
      op.window_size = window_;
      op.o_groups = std::max<int64_t>(1, o_groups_ / tp);
      op.kv_quant = g.quant().kv;
      op.fmha_quant = g.quant().fmha;
      op.gemm_quant = g.quant().gemm;
      op.architecture = checkpoint().architecture();
      op.cp_size = g.context_ranks();
      g.add(op, count);
    }
  }

  void feed_forward(PhaseGraph& g) const {
    const double layers = double(sizes().layers);
    const int64_t inter = sizes().expert_inter / g.ranks().tp, h = g.hidden();
    PhaseGraph shared = g.fork(), routed = g.fork();
    shared.gemm("shared_gate_up_gemm", layers, {2 * inter, h}, g.quant().gemm);
    shared.elementwise("shared_act_gate", layers, 2 * inter, inter);
    shared.gemm("shared_ffn2_gemm", layers, {h, inter}, g.quant().gemm);
    const ExpertBlock block = expert_block(g, kSkew);
    if (g.deployment().moe_backend == "megamoe") {
      routed.gemm("router_gemm", layers, {block.experts, h}, aic::QuantMode::bfloat16);
      routed.add(megamoe(g, block), layers);
    } else {
      add_expert_block(routed, block, layers, {}, {.split_in_generation = true});
    }
    if (!g.context()) return g.add_group(aic::Overlap{"moe_overlap", routed.take(), shared.take()});
    g.append(shared.take());
    g.append(routed.take());
  }

  static aic::MegaMoe megamoe(const PhaseGraph& g, const ExpertBlock& block) {
    aic::MegaMoe op;
    op.name = "megamoe";
    op.hidden_size = block.hidden;
    op.inter_size = block.inter;
    op.topk = block.topk;
    op.num_experts = block.experts;
    op.moe_tp_size = g.ranks().expert_tp();
    op.moe_ep_size = g.ranks().expert_ep();
    op.quant = block.quant;
    op.workload_distribution = expert_load(g.deployment(), block.skew);
    op.context = g.context();
    return op;
  }

  std::vector<int64_t> ratios_;
  int64_t q_lora_, o_lora_, o_groups_, rope_, index_dim_, index_heads_, index_topk_, window_, hc_mult_,
      sinkhorn_;
};

}  // namespace

std::unique_ptr<ServedModel> make_deepseek_v4(const Checkpoint& checkpoint) {
  return std::make_unique<DeepSeekV4>(checkpoint);
}

}  // namespace perfatlas::estimate
