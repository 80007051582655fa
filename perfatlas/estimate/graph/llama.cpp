// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/phase_graph.h"

namespace perfatlas::estimate {
namespace {

class Llama final : public ServedModel {
 public:
  explicit Llama(const Checkpoint& checkpoint)
      : ServedModel(checkpoint),
        head_norms_(checkpoint.architecture() == "Qwen3ForCausalLM"),
        vision_(checkpoint.architecture().starts_with("Qwen3VL")) {
    (void)checkpoint.config.positive("intermediate_size");
  }

  Family family() const override { return vision_ ? Family::qwen3_vl : Family::llama; }
  bool has_experts() const override { return false; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    const int64_t tp = g.ranks().tp, h = g.hidden(), layers = sizes().layers;
    const int64_t kv = sizes().kv_heads_per_rank(tp), d = sizes().head_dim;
    const int64_t query_width = sizes().heads * d / tp, inter = sizes().inter / tp;
    const aic::QuantMode quant = g.quant().gemm;
    g.embedding(sizes().vocab / tp);
    g.norm("add_norm_1", double(layers));
    g.gemm("qkv_gemm", double(layers), {query_width + 2 * d * kv, h}, quant);
    g.attention(double(layers), {sizes().heads / tp, kv, d, 0, head_norms_});
    g.share_kv(double(layers), kv_bytes_per_sequence(deployment, 1) / double(layers));
    g.gemm("proj_gemm", double(layers), {h, query_width}, quant, {.low_precision_input = true});
    g.norm("add_norm_2", double(layers));
    g.gemm("gate_ffn1_gemm", double(layers), {2 * sizes().inter / tp, h}, quant);
    g.elementwise("act_gate", double(layers), 2 * sizes().inter / tp, inter);
    g.gemm("ffn2_gemm", double(layers), {h, inter}, quant, {.low_precision_input = true});
    g.logits();
    g.all_reduce("embedding_ar", 1);
    g.all_reduce("ar_1", double(layers));
    g.all_reduce("ar_2", double(layers));
    g.p2p();
    return g.take();
  }

  bool head_norms_, vision_;
};

}  // namespace

std::unique_ptr<ServedModel> make_llama(const Checkpoint& checkpoint) {
  return std::make_unique<Llama>(checkpoint);
}

}  // namespace perfatlas::estimate
