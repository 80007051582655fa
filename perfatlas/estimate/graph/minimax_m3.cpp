// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

constexpr const char* kSkew = "1.01";
// The model's block-sparse attention; its configuration does not write them.
constexpr int64_t kIndexHeads = 4, kIndexDim = 128, kSparseBlocks = 16, kBlockTokens = 128, kValueDim = 128;

class MiniMaxM3 final : public ServedModel {
 public:
  explicit MiniMaxM3(const Checkpoint& checkpoint) : ServedModel(checkpoint) {}

  Family family() const override { return Family::minimax_m3; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

 protected:
  bool splits_prompts() const override { return false; }

 private:
  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    const double layers = double(sizes().layers);
    const int64_t inter = sizes().expert_inter, tp = g.ranks().tp, h = g.hidden();
    g.embedding(sizes().vocab);
    g.norm("add_norm_1", layers);
    attention(g);
    g.norm("add_norm_2", layers);
    PhaseGraph shared = g.fork(), routed = g.fork();
    shared.gemm("shared_gate_up_gemm", layers, {2 * inter / tp, h}, g.quant().gemm);
    shared.elementwise("shared_act_gate", layers, 2 * inter / tp, inter / tp);
    shared.gemm("shared_ffn2_gemm", layers, {h, inter / tp}, g.quant().gemm);
    add_expert_block(routed, expert_block(g, kSkew), layers);
    if (g.context()) {
      g.append(shared.take());
      g.append(routed.take());
    } else {
      g.add_group(aic::Overlap{"moe_overlap", routed.take(), shared.take()});
    }
    g.logits();
    g.p2p();
    return g.take();
  }

  void attention(PhaseGraph& g) const {
    const int64_t tp = g.ranks().tp;
    aic::MsaModule op;
    op.name = "attention";
    op.context = g.context();
    op.num_heads = std::max<int64_t>(1, sizes().heads / tp);
    op.num_kv_heads = std::max<int64_t>(1, sizes().kv_heads / tp);
    op.hidden_size = g.hidden();
    op.head_dim = sizes().head_dim;
    op.v_head_dim = kValueDim;
    op.index_n_heads = kIndexHeads;
    op.index_head_dim = kIndexDim;
    op.index_topk = kSparseBlocks * kBlockTokens;
    op.block_size = kBlockTokens;
    op.kv_quant = g.quant().kv;
    op.fmha_quant = g.quant().fmha;
    op.gemm_quant = g.quant().gemm;
    g.add(op, double(sizes().layers));
  }
};

}  // namespace

std::unique_ptr<ServedModel> make_minimax_m3(const Checkpoint& checkpoint) {
  return std::make_unique<MiniMaxM3>(checkpoint);
}

}  // namespace perfatlas::estimate
