// SPDX-License-Identifier: Apache-2.0
// The exchange of tokens between expert-parallel ranks: tokens go to the ranks of their experts (dispatch), results
// come back (combine). Imported tables only: they need several GPUs and a library that owns them.
#pragma once

#include "perfatlas/schema/op.h"

namespace perfatlas {

/// Bytes that leave the busiest link: what one rank sends. Charged as activations, like those of Collective.
/// `tokens` of one rank, each to at most min(topk, experts, ranks - 1) other ranks.
struct ExpertExchange {
  int64_t tokens = 1, hidden = 1, topk = 1, experts = 1, ranks = 2;
  std::string_view why_invalid() const;
  double copies() const;  // ranks that a token goes to at most
};

/// One phase of an exchange as TensorRT-LLM's NVLink kernels do it. `phase`: alltoall_prepare (counts), _dispatch,
/// _combine, _combine_low_precision (results in 4 bits).
struct TrtllmAllToAll {
  Symbol phase{"alltoall_dispatch"};
  Symbol kernel{"NVLinkTwoSided"};
  Quant dtype = Quant::bf16;
  int64_t tokens = 1;
  int64_t hidden = 7168;
  int64_t topk = 8;
  int64_t experts = 256;
  int64_t ep = 4;
  Symbol distribution{"balanced"};
  bool operator==(const TrtllmAllToAll&) const = default;

  static constexpr OpInfo info{
      .id = "trtllm_all_to_all",
      .table = "trtllm_alltoall_perf",
      .op_name = "",
      .doc = "One phase of TensorRT-LLM's exchange between expert-parallel ranks; imported tables only.",
      .sol =
          "num_tokens*min(topk, num_experts, ep - 1)*hidden_size*bytes / bw (dispatch: of moe_dtype, "
          "combine: "
          "2 or 0.5); prepare 4*num_tokens*topk / bw",
  };
  static constexpr auto fields = std::tuple{
      field("op_name", &TrtllmAllToAll::phase, Role::exact,
            "alltoall_prepare, alltoall_dispatch, alltoall_combine or alltoall_combine_low_precision")
          .flagged("phase"),
      field("kernel_source", &TrtllmAllToAll::kernel, Role::exact, "NVLinkOneSided or NVLinkTwoSided"),
      field("moe_dtype", &TrtllmAllToAll::dtype, Role::exact, "quantisation of the experts").flagged("dtype"),
      field("num_tokens", &TrtllmAllToAll::tokens, Role::axis, "tokens of one rank").flagged("tokens"),
      field("hidden_size", &TrtllmAllToAll::hidden, Role::exact, "features of a token").flagged("hidden"),
      field("topk", &TrtllmAllToAll::topk, Role::exact, "experts per token"),
      field("num_experts", &TrtllmAllToAll::experts, Role::exact, "experts of all ranks").flagged("experts"),
      field("moe_ep_size", &TrtllmAllToAll::ep, Role::exact, "expert-parallel ranks").flagged("ep"),
      field("distribution", &TrtllmAllToAll::distribution, Role::recorded, "load of the experts"),
  };
  static constexpr auto axes = std::array{axis<&TrtllmAllToAll::tokens, TrtllmAllToAll>("tokens")};
  static constexpr TableLayout layout{
      .why = "token-equivalent: a link carries tokens, whatever sequence they belong to"};

  std::string_view why_invalid() const;
  Work work() const;
};

/// One phase of an exchange, for every library in one table.
struct MoeAllToAll {
  Symbol backend{"deepep_ht"};
  Symbol phase{"dispatch"};
  Symbol dtype{"default"};
  int64_t ep = 8;
  int64_t nodes = 1;
  int64_t hidden = 7168;
  int64_t topk = 8;
  int64_t experts = 256;
  int64_t tokens = 1;
  int64_t sms = 0;
  bool operator==(const MoeAllToAll&) const = default;

  static constexpr MeasuredColumn kMeasured[] = {
      {"latency", "us", 1e-3}, {"transmit_us", "us", 0}, {"notify_us", "us", 0}};
  static constexpr OpInfo info{
      .id = "moe_all_to_all",
      .table = "moe_a2a_perf",
      .op_name = "moe_a2a",
      .doc =
          "One phase of the exchange between expert-parallel ranks by DeepEP and its like; imported tables "
          "only.",
      .sol = "num_tokens*min(topk, num_experts, ep_size - 1)*hidden_size*bytes of comm_dtype / bw",
      .measured = kMeasured,
  };
  static constexpr auto fields = std::tuple{
      field("comm_backend", &MoeAllToAll::backend, Role::exact,
            "deepep_ht, deepep_ll, trtllm_deepep_ht and so on: library and mode")
          .flagged("comm_backend"),
      field("phase", &MoeAllToAll::phase, Role::exact, "prepare, dispatch or combine"),
      field("comm_dtype", &MoeAllToAll::dtype, Role::exact, "type on the wire; default: the library's")
          .flagged("dtype"),
      field("ep_size", &MoeAllToAll::ep, Role::exact, "expert-parallel ranks").flagged("ep"),
      field("node_num", &MoeAllToAll::nodes, Role::exact, "nodes they are on").flagged("nodes"),
      field("hidden_size", &MoeAllToAll::hidden, Role::exact, "features of a token").flagged("hidden"),
      field("topk", &MoeAllToAll::topk, Role::exact, "experts per token"),
      field("num_experts", &MoeAllToAll::experts, Role::exact, "experts of all ranks").flagged("experts"),
      field("num_tokens", &MoeAllToAll::tokens, Role::axis, "tokens of one rank").flagged("tokens"),
      field("sms", &MoeAllToAll::sms, Role::axis,
            "multiprocessors that communicate; 0: the library's choice"),
  };
  static constexpr auto axes = std::array{axis<&MoeAllToAll::sms, MoeAllToAll>("sms"),
                                          axis<&MoeAllToAll::tokens, MoeAllToAll>("tokens")};
  static constexpr TableLayout layout{
      .why =
          "token-equivalent: a link carries tokens, whatever sequence they belong to; the multiprocessors "
          "that copy bound the rate"};

  std::string_view why_invalid() const;
  Work work() const;
};

/// Fields that both DeepEP tables have. Experts are spread over 8 GPUs of each node.
struct DeepEpCase {
  int64_t nodes = 1;
  int64_t hidden = 7168;
  int64_t tokens = 1;
  int64_t topk = 8;
  int64_t experts = 256;
  bool operator==(const DeepEpCase&) const = default;

  static constexpr int64_t kGpusPerNode = 8;
  ExpertExchange exchange() const { return {tokens, hidden, topk, experts, nodes * kGpusPerNode}; }
  std::string_view why_invalid() const;
  /// Dispatch in 8 bits, combine in 16.
  Work work() const;
};

inline constexpr auto kDeepEpFields = std::tuple{
    field("node_num", &DeepEpCase::nodes, Role::exact, "nodes of 8 GPUs").flagged("nodes"),
    field("hidden_size", &DeepEpCase::hidden, Role::exact, "features of a token").flagged("hidden"),
    field("num_token", &DeepEpCase::tokens, Role::axis, "tokens of one rank").flagged("tokens"),
    field("num_topk", &DeepEpCase::topk, Role::exact, "experts per token").flagged("topk"),
    field("num_experts", &DeepEpCase::experts, Role::exact, "experts of all ranks").flagged("experts"),
};

/// Dispatch and combine of DeepEP's kernels for throughput.
struct DeepEpNormal : DeepEpCase {
  int64_t dispatch_sms = 20;
  int64_t combine_sms = 20;
  bool operator==(const DeepEpNormal&) const = default;

  static constexpr MeasuredColumn kMeasured[] = {{"dispatch_transmit_us", "us", 1e-3},
                                                 {"dispatch_notify_us", "us", 1e-3},
                                                 {"combine_transmit_us", "us", 1e-3},
                                                 {"combine_notify_us", "us", 1e-3}};
  static constexpr OpInfo info{
      .id = "deepep_normal",
      .table = "wideep_deepep_normal_perf",
      .op_name = "normal",
      .doc = "Dispatch and combine of DeepEP's kernels for throughput; imported tables only.",
      .sol = "3*num_token*min(num_topk, num_experts, ranks - 1)*hidden_size / bw",
      .measured = kMeasured,
  };
  static constexpr auto fields = std::tuple_cat(
      kDeepEpFields,
      std::tuple{
          field("dispatch_sms", &DeepEpNormal::dispatch_sms, Role::axis, "multiprocessors that dispatch")
              .flagged("sms"),
          field("combine_sms", &DeepEpNormal::combine_sms, Role::recorded, "multiprocessors that combine")
              .flagged("combine_sms")});
  static const std::array<Axis<DeepEpNormal>, 2> axes;
  static constexpr TableLayout layout{.why = MoeAllToAll::layout.why};
};
inline constexpr std::array<Axis<DeepEpNormal>, 2> DeepEpNormal::axes = {
    axis<&DeepEpNormal::dispatch_sms, DeepEpNormal>("sms"),
    axis<&DeepEpCase::tokens, DeepEpNormal>("tokens")};

/// Dispatch and combine of DeepEP's kernels for latency.
struct DeepEpLowLatency : DeepEpCase {
  bool operator==(const DeepEpLowLatency&) const = default;

  static constexpr MeasuredColumn kMeasured[] = {{"dispatch_avg_t_us", "us", 1e-3},
                                                 {"dispatch_bandwidth_gbps", "GB/s", 0},
                                                 {"combine_avg_t_us", "us", 1e-3},
                                                 {"combine_bandwidth_gbps", "GB/s", 0}};
  static constexpr OpInfo info{
      .id = "deepep_low_latency",
      .table = "wideep_deepep_ll_perf",
      .op_name = "ll",
      .doc = "Dispatch and combine of DeepEP's kernels for latency; imported tables only.",
      .sol = DeepEpNormal::info.sol,
      .measured = kMeasured,
  };
  static constexpr auto fields = kDeepEpFields;
  static const std::array<Axis<DeepEpLowLatency>, 1> axes;
  static constexpr TableLayout layout{.why = TrtllmAllToAll::layout.why};
};
inline constexpr std::array<Axis<DeepEpLowLatency>, 1> DeepEpLowLatency::axes = {
    axis<&DeepEpCase::tokens, DeepEpLowLatency>("tokens")};

}  // namespace perfatlas
