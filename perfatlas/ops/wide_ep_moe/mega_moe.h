// SPDX-License-Identifier: Apache-2.0
// DeepSeek-V4's experts with their communication in one kernel. Imported tables only.
#pragma once

#include "perfatlas/ops/wide_ep_moe/expert_case.h"

namespace perfatlas {

/// All of num_tokens tokens of one rank through dispatch, experts and combine.
struct MegaMoe : ExpertCase {
  Symbol phase{"context"};
  Symbol kernel_dtype{"fp8_fp4"};
  int64_t global_tokens = 1;
  int64_t shared_experts = 0;
  Symbol source_policy{"random"};
  Symbol pre_dispatch{"sglang_jit"};
  int64_t most_tokens = 1;
  int64_t effective_most_tokens = 1;
  bool routed_scale = true;
  bool gate_topk = false;
  Symbol buffer_policy{"cached_sglang"};
  bool buffer_init = false;
  bool graph = true;
  bool operator==(const MegaMoe&) const = default;

  static constexpr MeasuredColumn kMeasured[] = {{"latency", "ms", 1}, {"routed_scaling_factor", "ratio", 0}};
  static constexpr OpInfo info{
      .id = "dsv4_mega_moe",
      .table = "dsv4_megamoe_module_perf",
      .op_name = "dsv4_megamoe_module",
      .doc = "Experts of DeepSeek-V4 with the exchange between ranks in one kernel; imported tables only.",
      .sol = kExpertSol,
      .measured = kMeasured,
  };
  static constexpr auto fields = std::tuple_cat(
      std::tuple{
          field("phase", &MegaMoe::phase, Role::exact, "context or generation"),
          field("kernel_dtype", &MegaMoe::kernel_dtype, Role::exact, "types of the products: fp8_fp4"),
          field("global_num_tokens", &MegaMoe::global_tokens, Role::recorded, "tokens of all ranks"),
          field("num_fused_shared_experts", &MegaMoe::shared_experts, Role::exact,
                "shared experts inside the kernel")
              .flagged("shared_experts"),
          field("source_policy", &MegaMoe::source_policy, Role::exact, "where tokens come from"),
          field("pre_dispatch", &MegaMoe::pre_dispatch, Role::exact, "who prepares the exchange"),
          field("num_max_tokens_per_rank", &MegaMoe::most_tokens, Role::recorded,
                "size of the buffer asked for"),
          field("effective_num_max_tokens_per_rank", &MegaMoe::effective_most_tokens, Role::recorded,
                "size of the buffer in use"),
          field("includes_routed_scale", &MegaMoe::routed_scale, Role::recorded, "scaling was measured, too"),
          field("includes_gate_topk", &MegaMoe::gate_topk, Role::recorded, "the router was measured, too"),
          field("buffer_policy", &MegaMoe::buffer_policy, Role::recorded, "who owns the buffer"),
          field("includes_buffer_init", &MegaMoe::buffer_init, Role::recorded,
                "clearing it was measured, too"),
          field("used_cuda_graph", &MegaMoe::graph, Role::recorded, "launched from a graph")},
      kExpertFields);
  static const std::array<Axis<MegaMoe>, 1> axes;
  static constexpr TableLayout layout{.merge = {.repeats = TableMerge::Repeats::refused,
                                                .by_kernel = true,
                                                .files = TableMerge::Files::first},
                                      .why = kExpertWhy};
};
inline constexpr std::array<Axis<MegaMoe>, 1> MegaMoe::axes = {axis<&ExpertCase::tokens, MegaMoe>("tokens")};

}  // namespace perfatlas
