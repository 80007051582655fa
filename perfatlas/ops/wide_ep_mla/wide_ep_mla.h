// SPDX-License-Identifier: Apache-2.0
// Latent attention blocks of DeepSeek-V3 as SGLang runs them beside wide expert parallelism: attention is not split
// over ranks, every rank has all heads of its own sequences. Imported tables only; the ops mla_context_module and
// mla_generation_module describe the same block.
#pragma once

#include "perfatlas/schema/op.h"

namespace perfatlas {

/// Sizes: config.json of deepseek-ai/DeepSeek-V3 (ops/mla/mla_geometry.h has those of the heads).
struct WideEpMlaCase {
  Symbol kernel{"flashinfer"};
  Symbol model{"deepseek-ai/DeepSeek-V3"};
  Symbol architecture{"DeepseekV3ForCausalLM"};
  Quant dtype = Quant::fp8_block;
  DType kv_dtype = DType::fp8_e4m3;
  Quant gemm = Quant::fp8_block;
  int64_t heads = 128;
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t tp = 1;
  int64_t step = 0;
  bool operator==(const WideEpMlaCase&) const = default;

  std::string_view why_invalid() const;
  Quant same_as_dtype() const { return dtype; }
};

inline constexpr auto kWideEpMlaFields = std::tuple{
    field("kernel_source", &WideEpMlaCase::kernel, Role::exact,
          "attention back end: flashinfer, fa3, trtllm_mla"),
    field("model", &WideEpMlaCase::model, Role::recorded, "checkpoint whose sizes were taken")
        .absent_is(Symbol()),
    field("architecture", &WideEpMlaCase::architecture, Role::recorded, "as config.json names it")
        .absent_is(Symbol()),
    field("mla_dtype", &WideEpMlaCase::dtype, Role::exact, "quantisation of the block").flagged("dtype"),
    field("kv_cache_dtype", &WideEpMlaCase::kv_dtype, Role::exact, "stored type of the cache")
        .flagged("kv_dtype"),
    field("gemm_type", &WideEpMlaCase::gemm, Role::recorded, "quantisation of the linear layers")
        .absent_follows(&WideEpMlaCase::same_as_dtype)
        .flagged("gemm"),
    field("num_heads", &WideEpMlaCase::heads, Role::axis, "query heads on this rank").flagged("heads"),
    field("batch_size", &WideEpMlaCase::batch, Role::axis, "sequences of equal length").flagged("batch"),
    field("isl", &WideEpMlaCase::isl, Role::axis,
          "new tokens per sequence; in decode with `step` its context"),
    field("tp_size", &WideEpMlaCase::tp, Role::recorded, "ranks that share the heads")
        .distinguishing()
        .flagged("tp"),
    field("step", &WideEpMlaCase::step, Role::axis, "tokens per sequence already in the cache"),
};

/// Prefill: projections, norms, causal attention with expanded keys and values, output projection.
struct WideEpContextMla : WideEpMlaCase {
  bool operator==(const WideEpContextMla&) const = default;
  static constexpr OpInfo info{
      .id = "wide_ep_context_mla",
      .table = "wideep_context_mla_perf",
      .op_name = "mla_context",
      .doc = "Latent attention block beside wide expert parallelism, for new tokens; imported tables only.",
      .sol =
          "max(2*batch_size*isl*weights + 640*batch_size*num_heads*pairs over the peak of mla_dtype, "
          "(weights + "
          "cache) / memory_bw, (x + out bytes) / llc_bw); weights = num_heads*(1536*192 + 512*256 + "
          "128*7168); "
          "pairs = sum over i < isl of step + i + 1",
  };
  static constexpr auto fields = kWideEpMlaFields;
  static const std::array<Axis<WideEpContextMla>, 4> axes;
  static constexpr TableLayout layout{
      .why = "token-non-equivalent: pairs grow with the square of isl, the projections with batch*isl"};
  Work work() const;
};
inline constexpr std::array<Axis<WideEpContextMla>, 4> WideEpContextMla::axes = {
    axis<&WideEpMlaCase::heads, WideEpContextMla>("heads"),
    axis<&WideEpMlaCase::step, WideEpContextMla>("step"),
    axis<&WideEpMlaCase::isl, WideEpContextMla>("isl", Transform::sqrt),
    axis<&WideEpMlaCase::batch, WideEpContextMla>("batch")};

/// Decode: one new token per sequence with a context of isl + step tokens, absorbed attention.
struct WideEpGenerationMla : WideEpMlaCase {
  bool operator==(const WideEpGenerationMla&) const = default;
  static constexpr OpInfo info{
      .id = "wide_ep_generation_mla",
      .table = "wideep_generation_mla_perf",
      .op_name = "mla_generation",
      .doc =
          "Latent attention block beside wide expert parallelism, for one new token per sequence; imported "
          "tables "
          "only.",
      .sol =
          "max(2*batch_size*weights + 2176*batch_size*num_heads*(isl + step) over the peak of mla_dtype, "
          "(weights + "
          "batch_size*(isl + step)*576*kv_bytes) / memory_bw, (x + out bytes) / llc_bw)",
  };
  static constexpr auto fields = kWideEpMlaFields;
  static const std::array<Axis<WideEpGenerationMla>, 3> axes;
  static constexpr TableLayout layout{
      .why = "token-non-equivalent: a step reads batch*s tokens of cache for batch queries"};
  Work work() const;
};
inline constexpr std::array<Axis<WideEpGenerationMla>, 3> WideEpGenerationMla::axes = {
    axis<&WideEpMlaCase::heads, WideEpGenerationMla>("heads"),
    axis<&WideEpMlaCase::batch, WideEpGenerationMla>("batch"),
    Axis<WideEpGenerationMla>{"s", [](const WideEpGenerationMla& op) { return op.isl + op.step; },
                              [](WideEpGenerationMla& op, int64_t s) { op.step = s - op.isl; }}};

}  // namespace perfatlas
