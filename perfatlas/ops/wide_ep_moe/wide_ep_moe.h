// SPDX-License-Identifier: Apache-2.0
// Expert layers whose experts are spread widely, without the exchange between ranks (ops/moe_comm), and the low-latency
// rows of the moe table. Imported tables only: the op "moe" measures the same arithmetic.
#pragma once

#include "perfatlas/ops/moe/moe.h"
#include "perfatlas/ops/wide_ep_moe/expert_case.h"
#include "perfatlas/ops/wide_ep_moe/mega_moe.h"

namespace perfatlas {

/// Rows of moe_perf that TensorRT-LLM's kernels for few tokens gave.
struct MoeLowLatency : ExpertOp<MoeLowLatency> {
  bool operator==(const MoeLowLatency&) const = default;
  static constexpr OpInfo info{
      .id = "moe_low_latency",
      .table = "moe_low_latency_perf",
      .op_name = "moe",
      .doc = "Expert layer on one rank by kernels for few tokens; imported tables only.",
      .sol = kExpertSol,
      .published_table = "moe_perf",
  };
  static std::optional<MoeLowLatency> published(const MoeLowLatency& row, Symbol kernel) {
    return kernel.text() == kMinLatencyKernel ? std::optional(row) : std::nullopt;
  }
};

/// The experts behind DeepEP in a step of new tokens (SGLang).
struct WideEpContextMoe : ExpertOp<WideEpContextMoe> {
  bool operator==(const WideEpContextMoe&) const = default;
  static constexpr OpInfo info{
      .id = "wide_ep_context_moe",
      .table = "wideep_context_moe_perf",
      .op_name = "moe_context",
      .doc = "Experts of one rank behind DeepEP, for new tokens; imported tables only.",
      .sol = kExpertSol,
  };
};

/// The same in a decode step.
struct WideEpGenerationMoe : ExpertOp<WideEpGenerationMoe> {
  bool operator==(const WideEpGenerationMoe&) const = default;
  static constexpr OpInfo info{
      .id = "wide_ep_generation_moe",
      .table = "wideep_generation_moe_perf",
      .op_name = "moe_generation",
      .doc = "Experts of one rank behind DeepEP, for one new token per sequence; imported tables only.",
      .sol = kExpertSol,
  };
};

/// The experts of TensorRT-LLM's wide expert parallelism, where experts may have copies (slots).
struct WideEpMoe : ExpertOp<WideEpMoe> {
  Symbol name{"wideep_moe"};
  Symbol kernel{"wideep_compute_cutlass"};
  Symbol moe_kernel{"cutlass"};
  int64_t dp_tokens = 1;
  int64_t rank0_tokens = 1;
  int64_t slots = 256;
  Symbol simulation{"accurate"};
  bool operator==(const WideEpMoe&) const = default;

  static constexpr OpInfo info{
      .id = "wide_ep_moe",
      .table = "wideep_moe_perf",
      .op_name = "",
      .doc = "Experts of one rank of TensorRT-LLM's wide expert parallelism; imported tables only.",
      .sol = kExpertSol,
  };
  static constexpr auto fields = std::tuple_cat(
      std::tuple{
          field("op_name", &WideEpMoe::name, Role::recorded, "wideep_moe or wideep_moe_eplb").flagged("name"),
          field("kernel_source", &WideEpMoe::kernel, Role::exact, "kernel of the products"),
          field("moe_kernel", &WideEpMoe::moe_kernel, Role::recorded, "its short name"),
          field("dp_num_tokens", &WideEpMoe::dp_tokens, Role::recorded, "tokens of one rank"),
          field("rank0_num_tokens", &WideEpMoe::rank0_tokens, Role::recorded,
                "tokens that reached the measured rank"),
          field("num_slots", &WideEpMoe::slots, Role::exact, "experts with their copies").flagged("slots"),
          field("simulation_mode", &WideEpMoe::simulation, Role::recorded,
                "how the other ranks were emulated")},
      kExpertFields);
  Work work() const {
    ExpertLoad with_copies = load();
    with_copies.slots = slots;
    return with_copies.work();
  }
};

/// The experts of any framework's wide expert parallelism, both phases in one table.
struct ExpertCompute : ExpertOp<ExpertCompute> {
  Symbol kernel{"deepep_moe"};
  Symbol phase{"context"};
  int64_t slots = 256;
  bool operator==(const ExpertCompute&) const = default;

  static constexpr MeasuredColumn kMeasured[] = {{"latency", "us", 1e-3}};
  static constexpr OpInfo info{
      .id = "expert_compute",
      .table = "moe_expert_compute_perf",
      .op_name = "moe_expert_compute",
      .doc = "Experts of one rank of a wide expert-parallel group; imported tables only.",
      .sol = kExpertSol,
      .measured = kMeasured,
  };
  static constexpr auto fields = std::tuple_cat(
      std::tuple{field("kernel_source", &ExpertCompute::kernel, Role::exact, "kernel of the products"),
                 field("inference_phase", &ExpertCompute::phase, Role::exact, "context or generation")
                     .flagged("phase"),
                 field("num_slots", &ExpertCompute::slots, Role::exact, "experts with their copies")
                     .flagged("slots")},
      kExpertFields);
  Work work() const {
    ExpertLoad with_copies = load();
    with_copies.slots = slots;
    return with_copies.work();
  }
};

/// A dense gated feed-forward block of a model with wide expert parallelism.
struct WideEpMlpCase {
  Quant dtype = Quant::fp8_block;
  int64_t tokens = 1;
  int64_t hidden = 7168;
  int64_t inter = 2048;
  bool operator==(const WideEpMlpCase&) const = default;

  std::string_view why_invalid() const { return load().why_invalid(); }
  Work work() const { return load().work(); }
  /// One expert that every token goes to.
  ExpertLoad load() const { return {double(tokens), hidden, inter, 1, 1, 1, 1, dtype}; }

  static constexpr MeasuredColumn kMeasured[] = {{"avg_ms", "ms", 1}};
};
inline constexpr auto kWideEpMlpFields = std::tuple{
    field("quant_type", &WideEpMlpCase::dtype, Role::exact, "quantisation of weights and activations")
        .flagged("dtype"),
    field("num_token", &WideEpMlpCase::tokens, Role::axis, "tokens in the step").flagged("tokens"),
    field("hidden_size", &WideEpMlpCase::hidden, Role::exact, "features of a token").flagged("hidden"),
    field("intermediate_size", &WideEpMlpCase::inter, Role::exact, "intermediate features").flagged("inter"),
};
constexpr OpInfo wide_ep_mlp_info(std::string_view id, std::string_view table) {
  return {.id = id,
          .table = table,
          .op_name = "mlp",
          .doc = "Dense gated feed-forward block beside wide expert parallelism; imported tables only.",
          .sol = kExpertSol,
          .measured = WideEpMlpCase::kMeasured};
}

template <class Op>
struct WideEpMlp : WideEpMlpCase {
  static constexpr auto fields = kWideEpMlpFields;
  static constexpr std::array<Axis<Op>, 1> axes = {axis<&WideEpMlpCase::tokens, Op>("tokens")};
  static constexpr TableLayout layout{.why = kExpertWhy};
};

struct WideEpContextMlp : WideEpMlp<WideEpContextMlp> {
  bool operator==(const WideEpContextMlp&) const = default;
  static constexpr OpInfo info = wide_ep_mlp_info("wide_ep_context_mlp", "wideep_context_mlp_perf");
};

struct WideEpGenerationMlp : WideEpMlp<WideEpGenerationMlp> {
  bool operator==(const WideEpGenerationMlp&) const = default;
  static constexpr OpInfo info = wide_ep_mlp_info("wide_ep_generation_mlp", "wideep_generation_mlp_perf");
};

}  // namespace perfatlas
