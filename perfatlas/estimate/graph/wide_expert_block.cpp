// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "perfatlas/estimate/graph/moe_block.h"

namespace perfatlas::estimate {
namespace {

/// Multiprocessors that DeepEP's high-throughput kernels take; its other libraries choose themselves.
constexpr int64_t kCommunicationMultiprocessors = 20;

bool is_deepep(const std::string& transport) { return transport.starts_with("deepep"); }

const std::string& transport_of(const PhaseGraph& graph) {
  const ExpertTransport& transport = graph.deployment().transport;
  return graph.context() ? transport.context : transport.generation;
}

aic::MoeAllToAll all_to_all(const PhaseGraph& graph, const ExpertBlock& block, const std::string& phase) {
  const std::string& transport = transport_of(graph);
  const int64_t per_node = graph.deployment().gpus_per_node,
                ranks = graph.ranks().expert_ep() * graph.ranks().expert_tp();
  aic::MoeAllToAll op;
  op.name = "moe_" + phase;
  op.phase = phase;
  op.comm_backend = transport;
  op.comm_dtype = transport_dtype(transport, graph.deployment(), block.quant,
                                  graph.context() ? Phase::context : Phase::generation, phase == "combine");
  op.hidden_size = block.hidden;
  op.topk = block.topk;
  op.num_experts = block.experts;
  op.moe_ep_size = graph.ranks().expert_ep();
  op.node_num = (ranks + per_node - 1) / per_node;
  op.sms = transport == "deepep_ht" ? kCommunicationMultiprocessors : 0;
  op.attention_tp_size = is_deepep(transport) && graph.context() ? graph.ranks().tp * graph.ranks().cp : 1;
  return op;
}

/// Load balancing flattens the power law: in TensorRT-LLM it has tables of its own, elsewhere prefill gets alpha 0.6.
std::string balanced_load(const PhaseGraph& graph, const ExpertBlock& block) {
  const Deployment& deployment = graph.deployment();
  if (!deployment.expert_load_balancing || deployment.expert_load != "power_law")
    return expert_load(deployment, block.skew);
  if (deployment.framework == Framework::trtllm) return expert_load(deployment, block.skew + "_eplb");
  return expert_load(deployment, graph.context() ? "0.6" : block.skew);
}

aic::ExpertCompute compute(const PhaseGraph& graph, const ExpertBlock& block) {
  aic::ExpertCompute op;
  op.name = "moe";
  op.hidden_size = block.hidden;
  op.inter_size = block.inter;
  op.topk = block.topk;
  op.num_experts = block.experts;
  op.num_slots = graph.deployment().expert_slots;
  op.moe_ep_size = graph.ranks().expert_ep();
  op.attention_dp_size = graph.ranks().dp;
  op.quant = block.quant;
  op.workload_distribution = balanced_load(graph, block);
  op.context = graph.context();
  op.is_gated = block.gated;
  op.enable_eplb = graph.deployment().expert_load_balancing && is_deepep(transport_of(graph));
  return op;
}

/// Shared experts are not split over ranks here; outside TensorRT-LLM the ranks share the tokens of a prompt.
void add_shared(PhaseGraph& graph, const ExpertBlock& block, double count) {
  if (block.shared_experts == 0) return;
  const bool trtllm = graph.deployment().framework == Framework::trtllm;
  const std::string prefix = trtllm ? "shared_" : "";
  const std::string up = trtllm ? "gate_up_gemm" : "gate_ffn1_gemm";
  const int64_t inter = block.shared_experts * block.inter;
  const int64_t divisor = !trtllm && graph.context() ? graph.ranks().tp : 1;
  graph.gemm(prefix + up, count, {2 * inter, block.hidden}, block.shared_quant, {.token_divisor = divisor});
  graph.elementwise(prefix + "act_gate", count, 2 * inter, inter, divisor);
  graph.gemm(prefix + "ffn2_gemm", count, {block.hidden, inter}, block.shared_quant,
             {.token_divisor = divisor});
}

}  // namespace

std::string transport_dtype(const std::string& transport, const Deployment& deployment, aic::QuantMode quant,
                            Phase phase, bool combine) {
  const bool bf16 = quant == aic::QuantMode::bfloat16, nvfp4 = quant == aic::QuantMode::nvfp4;
  const bool fp8 = quant == aic::QuantMode::fp8 || quant == aic::QuantMode::fp8_block;
  if (is_deepep(transport)) return "default";
  if (transport == "trtllm_deepep_ht") return nvfp4 ? "nvfp4" : bf16 || fp8 ? "bfloat16" : "";
  if (transport == "trtllm_deepep_ll") {
    if (bf16 || fp8) return bf16 ? "bfloat16" : "fp8";
    const bool hopper = deployment.system == "h100_sxm" || deployment.system == "h200_sxm";
    return !nvfp4 || hopper ? "" : combine ? "fp4" : "nvfp4";
  }
  if (nvfp4 && phase == Phase::generation && combine) return "fp4";
  return fp8 ? "fp8" : std::string(name_of(quant));
}

void add_wide_expert_block(PhaseGraph& graph, const ExpertBlock& block, double count, bool router) {
  if (transport_of(graph).empty()) return add_expert_block(graph, block, count);
  const bool trtllm = graph.deployment().framework == Framework::trtllm;
  PhaseGraph routed = graph.fork(), shared = graph.fork();
  if (router) routed.gemm("router_gemm", count, {block.experts, block.hidden}, aic::QuantMode::bfloat16);
  PhaseGraph exchange = graph.fork();
  if (transport_of(graph) == "nvlink_two_sided") exchange.add(all_to_all(graph, block, "prepare"), count);
  exchange.add(all_to_all(graph, block, "dispatch"), count);
  exchange.add(compute(graph, block), count);
  exchange.add(all_to_all(graph, block, "combine"), count);
  add_shared(shared, block, count);
  if (trtllm && block.shared_experts > 0 && !graph.context()) {
    routed.append(exchange.take());
    graph.add_group(aic::Overlap{"moe_overlap", routed.take(), shared.take()});
  } else {
    graph.append(routed.take());
    graph.append(shared.take());
    graph.append(exchange.take());
  }
  if (trtllm && block.shared_experts > 0)
    graph.elementwise("moe_reduce_add", count, 2 * block.hidden, block.hidden);
}

}  // namespace perfatlas::estimate
