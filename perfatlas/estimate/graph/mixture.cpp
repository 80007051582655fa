// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

/// gpt-oss: every second layer looks back this far only.
constexpr int64_t kGptOssWindow = 128;
constexpr const char* kSkew = "1.2";

class Mixture final : public ServedModel {
 public:
  explicit Mixture(const Checkpoint& checkpoint)
      : ServedModel(checkpoint),
        head_norms_(checkpoint.architecture() == "Qwen3MoeForCausalLM" ||
                    checkpoint.architecture() == "MiniMaxM2ForCausalLM"),
        windowed_(checkpoint.architecture() == "GptOssForCausalLM"),
        vision_(checkpoint.architecture().starts_with("Qwen3VL")) {
    if (sizes().experts == 0)
      throw Error(checkpoint.config.origin() + ": key 'num_experts' (or num_local_experts) is missing");
  }

  Family family() const override { return vision_ ? Family::qwen3_vl_moe : Family::moe; }
  bool has_experts() const override { return true; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

  double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const override {
    if (!windowed_) return ServedModel::kv_bytes_per_sequence(deployment, tokens);
    const int64_t window_layers = sizes().layers / 2, global_layers = sizes().layers - window_layers;
    const double per_token =
        double(sizes().kv_heads_per_rank(deployment.parallel.tp) * sizes().head_dim * 2) *
        aic::profile_of(deployment.quant.kv).bytes;
    return per_token * double(window_layers * std::min(tokens, kGptOssWindow) + global_layers * tokens);
  }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    const int64_t tp = g.ranks().tp, h = g.hidden();
    const double layers = double(sizes().layers), full_layers = windowed_ ? layers / 2 : layers;
    const int64_t kv = sizes().kv_heads_per_rank(tp), d = sizes().head_dim;
    const int64_t query_width = sizes().heads * d / tp;
    // sglang keeps whole embeddings on every rank of a wide group, and has no collective after them.
    const bool wide = deployment.transport.used();
    const bool whole_embedding = wide && deployment.framework == Framework::sglang;
    if (windowed_) g.attention(layers / 2, {sizes().heads / tp, kv, d, kGptOssWindow, head_norms_});
    g.embedding(whole_embedding ? sizes().vocab : sizes().vocab / tp);
    g.norm("add_norm_1", layers);
    g.gemm("qkv_gemm", layers, {query_width + 2 * d * kv, h}, g.quant().gemm);
    g.attention(full_layers, {sizes().heads / tp, kv, d, 0, head_norms_});
    g.share_kv(layers, kv_bytes_per_sequence(deployment, 1) / layers);
    g.gemm("proj_gemm", layers, {h, query_width}, g.quant().gemm, {.low_precision_input = true});
    g.norm("add_norm_2", layers);
    if (wide)
      add_wide_expert_block(g, expert_block(g, kSkew), layers);
    else
      add_expert_block(g, expert_block(g, kSkew), layers);
    if (!g.context()) g.logits();
    if (whole_embedding) return g.take();
    g.all_reduce("embedding_ar", 1);
    g.p2p();
    return g.take();
  }

  bool head_norms_, windowed_, vision_;
};

}  // namespace

std::unique_ptr<ServedModel> make_mixture(const Checkpoint& checkpoint) {
  return std::make_unique<Mixture>(checkpoint);
}

}  // namespace perfatlas::estimate
