// SPDX-License-Identifier: Apache-2.0
// Mixture of experts: the experts, and what moves tokens to them and back.
#pragma once

#include <optional>

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// Router to combined output inside one expert-parallel group. Tokens are multiplied by attention_dp_size.
struct Moe : OpBase {
  static constexpr OpClasses<1> kClasses{"MoE"};
  int64_t hidden_size = 0, inter_size = 0, topk = 0, num_experts = 0;
  int64_t moe_tp_size = 1, moe_ep_size = 1, attention_dp_size = 1;
  QuantMode quant = QuantMode::bfloat16;  // a MoE mode
  std::string workload_distribution = "power_law_1.2";
  bool context = true;  // with enable_eplb: balanced prefill
  bool is_gated = true;
  bool enable_eplb = false;
  std::string moe_backend;  // empty: the framework's default

  static void fields(auto& op, auto& f) {
    f.required("hidden_size", op.hidden_size);
    f.required("inter_size", op.inter_size);
    f.required("topk", op.topk);
    f.required("num_experts", op.num_experts);
    f.required("moe_tp_size", op.moe_tp_size);
    f.required("moe_ep_size", op.moe_ep_size);
    f.required("quant_mode", op.quant, QuantKind::moe);
    f.required("workload_distribution", op.workload_distribution);
    f.required("attention_dp_size", op.attention_dp_size);
    f.optional("is_context", op.context);
    f.optional("is_gated", op.is_gated);
    f.optional("enable_eplb", op.enable_eplb);
    f.optional("moe_backend", op.moe_backend);
  }
  bool operator==(const Moe&) const = default;
};

/// Collectives around the experts, before (pre_dispatch) or after.
struct MoeDispatch : OpBase {
  static constexpr OpClasses<1> kClasses{"MoEDispatch"};
  int64_t hidden_size = 0, topk = 0, num_experts = 0;
  int64_t moe_tp_size = 1, moe_ep_size = 1, attention_dp_size = 1, attn_cp_size = 1;
  bool pre_dispatch = true;
  bool attn_ar_modeled = false;           // the all-reduce of attention is an op of its own
  std::string backend;                    // serving framework
  QuantMode quant = QuantMode::bfloat16;  // of the experts
  bool context = true;
  int64_t scale_num_tokens = 1;

  static void fields(auto& op, auto& f) {
    f.required("hidden_size", op.hidden_size);
    f.required("topk", op.topk);
    f.required("num_experts", op.num_experts);
    f.required("moe_tp_size", op.moe_tp_size);
    f.required("moe_ep_size", op.moe_ep_size);
    f.required("attention_dp_size", op.attention_dp_size);
    f.required("pre_dispatch", op.pre_dispatch);
    f.required("backend", op.backend);
    f.optional("quant_mode", op.quant, QuantKind::moe);
    f.optional("is_context", op.context);
    f.optional("scale_num_tokens", op.scale_num_tokens);
    f.optional("attn_cp_size", op.attn_cp_size);
    f.optional("attn_ar_modeled", op.attn_ar_modeled);
    for (const char* name : {"enable_fp4_all2all", "sms", "moe_backend", "reduce_results"}) f.ignored(name);
  }
  bool operator==(const MoeDispatch&) const = default;
};

/// One phase of the all-to-all of wide expert parallelism.
struct MoeAllToAll : OpBase {
  static constexpr OpClasses<1> kClasses{"MoEAllToAll"};
  std::string phase = "dispatch";          // prepare, dispatch, combine
  std::string comm_backend = "deepep_ht";  // see moe_comm_backends()
  std::string comm_dtype = "default";
  int64_t hidden_size = 0, topk = 0, num_experts = 0;
  int64_t moe_ep_size = 1, node_num = 1;
  int64_t sms = 0;                // multiprocessors given to communication; 0: the library's choice
  int64_t attention_tp_size = 1;  // divides the tokens

  static void fields(auto& op, auto& f) {
    f.required("phase", op.phase);
    f.required("comm_backend", op.comm_backend);
    f.required("hidden_size", op.hidden_size);
    f.required("topk", op.topk);
    f.required("num_experts", op.num_experts);
    f.required("moe_ep_size", op.moe_ep_size);
    f.required("node_num", op.node_num);
    f.optional("comm_dtype", op.comm_dtype);
    f.optional("sms", op.sms);
    f.optional("attention_tp_size", op.attention_tp_size);
  }
  bool operator==(const MoeAllToAll&) const = default;
};

/// The all-to-all of an expert-parallel size that was not measured, answered from one node.
struct MoeCommFallback {
  int64_t requested_ep = 0, requested_nodes = 0;
  int64_t measured_ep = 0, measured_nodes = 0;
  bool operator==(const MoeCommFallback&) const = default;
};

/// The experts of wide expert parallelism. Tokens are multiplied by attention_dp_size.
struct ExpertCompute : OpBase {
  static constexpr OpClasses<1> kClasses{"MoEExpertCompute"};
  int64_t hidden_size = 0, inter_size = 0, topk = 0, num_experts = 0;
  int64_t num_slots = 0;  // experts with their copies; 0: num_experts
  int64_t moe_ep_size = 1, attention_dp_size = 1;
  QuantMode quant = QuantMode::fp8_block;
  std::string workload_distribution = "uniform";
  bool context = true;
  bool is_gated = true;
  bool enable_eplb = false;
  std::string kernel_source;  // empty: the framework's default

  static void fields(auto& op, auto& f) {
    f.required("hidden_size", op.hidden_size);
    f.required("inter_size", op.inter_size);
    f.required("topk", op.topk);
    f.required("num_experts", op.num_experts);
    f.required("moe_ep_size", op.moe_ep_size);
    f.required("quant_mode", op.quant, QuantKind::moe);
    f.required("workload_distribution", op.workload_distribution);
    f.required("attention_dp_size", op.attention_dp_size);
    f.choice("inference_phase", op.context, {{"context", true}, {"generation", false}});
    f.optional("num_slots", op.num_slots);
    f.optional("kernel_source", op.kernel_source);
    f.optional("is_gated", op.is_gated);
    f.optional("enable_eplb", op.enable_eplb);
  }
  bool operator==(const ExpertCompute&) const = default;
};

/// DeepSeek-V4 experts with their communication in one kernel.
struct MegaMoe : OpBase {
  static constexpr OpClasses<1> kClasses{"DeepSeekV4MegaMoEModule"};
  int64_t hidden_size = 0, inter_size = 0, topk = 0, num_experts = 0;
  int64_t moe_tp_size = 1, moe_ep_size = 1;
  QuantMode quant = QuantMode::nvfp4;
  std::string workload_distribution = "balanced";
  bool context = true;
  std::string source_policy = "random";
  std::string pre_dispatch = "sglang_jit";
  int64_t num_fused_shared_experts = 0;
  std::string kernel_source = "deepgemm_megamoe";
  std::string kernel_dtype = "fp8_fp4";

  static void fields(auto& op, auto& f) {
    f.required("hidden_size", op.hidden_size);
    f.required("inter_size", op.inter_size);
    f.required("topk", op.topk);
    f.required("num_experts", op.num_experts);
    f.required("moe_tp_size", op.moe_tp_size);
    f.required("moe_ep_size", op.moe_ep_size);
    f.required("quant_mode", op.quant, QuantKind::moe);
    f.required("workload_distribution", op.workload_distribution);
    f.optional("is_context", op.context);
    f.optional("source_policy", op.source_policy);
    f.optional("pre_dispatch", op.pre_dispatch);
    f.optional("num_fused_shared_experts", op.num_fused_shared_experts);
    f.optional("kernel_source", op.kernel_source);
    f.optional("kernel_dtype", op.kernel_dtype);
  }
  bool operator==(const MegaMoe&) const = default;
};

}  // namespace perfatlas::aic
