// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {

ExpertBlock expert_block(const PhaseGraph& graph, std::string skew) {
  ExpertBlock block;
  block.hidden = graph.hidden();
  block.inter = graph.sizes().expert_inter;
  block.topk = graph.sizes().topk;
  block.experts = graph.sizes().experts;
  block.shared_quant = graph.quant().gemm;
  block.quant = graph.quant().moe;
  block.skew = std::move(skew);
  return block;
}

aic::MoeDispatch dispatch(const PhaseGraph& graph, const ExpertBlock& block, const std::string& name,
                          bool before, const DispatchTraits& traits) {
  aic::MoeDispatch op;
  op.name = name;
  op.hidden_size = block.hidden;
  op.topk = block.topk;
  op.num_experts = block.experts;
  op.moe_tp_size = graph.ranks().expert_tp();
  op.moe_ep_size = graph.ranks().expert_ep();
  op.attention_dp_size = graph.ranks().dp;
  op.attn_cp_size = traits.split_in_generation ? graph.ranks().cp : graph.context_ranks();
  op.pre_dispatch = before;
  op.attn_ar_modeled = traits.all_reduce_modeled;
  op.backend = name_of(graph.deployment().framework);
  op.quant = traits.untyped ? aic::QuantMode::bfloat16 : block.quant;
  op.context = !traits.phase_aware || graph.context();
  return op;
}

aic::Moe routed_experts(const PhaseGraph& graph, const ExpertBlock& block, const std::string& name) {
  aic::Moe op;
  op.name = name;
  op.hidden_size = block.hidden;
  op.inter_size = block.inter;
  op.topk = block.topk;
  op.num_experts = block.experts;
  op.moe_tp_size = graph.ranks().expert_tp();
  op.moe_ep_size = graph.ranks().expert_ep();
  op.attention_dp_size = graph.ranks().dp;
  op.quant = block.quant;
  op.workload_distribution = expert_load(graph.deployment(), block.skew);
  op.is_gated = block.gated;
  return op;
}

void add_expert_block(PhaseGraph& graph, const ExpertBlock& block, double count, const std::string& prefix,
                      const DispatchTraits& traits) {
  const int64_t tp = graph.ranks().tp;
  graph.gemm(prefix + "router_gemm", count, {block.experts, block.hidden}, aic::QuantMode::bfloat16);
  if (block.shared_experts > 0) {
    const int64_t inter = block.shared_experts * block.inter;
    graph.gemm(prefix + "shared_gate_up_gemm", count, {2 * inter / tp, block.hidden}, block.shared_quant);
    graph.elementwise(prefix + "shared_act_gate", count, 2 * inter / tp, inter / tp);
    graph.gemm(prefix + "shared_ffn2_gemm", count, {block.hidden, inter / tp}, block.shared_quant);
  }
  graph.add(dispatch(graph, block, prefix + "moe_pre_dispatch", true, traits), count);
  graph.add(routed_experts(graph, block, prefix + "moe"), count);
  graph.add(dispatch(graph, block, prefix + "moe_post_dispatch", false, traits), count);
}

}  // namespace perfatlas::estimate
