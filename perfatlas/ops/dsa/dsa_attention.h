// SPDX-License-Identifier: Apache-2.0
// The whole definition of the op "dsa_attention": absorbed latent attention over selected tokens (DeepSeek-AI,
// "DeepSeek-V3.2-Exp", 2025, equation 2; absorption: "DeepSeek-V2", 2024, section 2.1.2).
#pragma once

#include "perfatlas/ops/dsa/dsa_kernel_case.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// out[t, h] = sum over selected positions s of p[s] * c[s], p = softmax(q[t, h] . (c[s], r[s]) / sqrt(nope + rope)),
/// where the cache holds of every position the latent c (kv_lora elements) and the rotated key r (rope elements).
struct DsaAttention : DsaKernelCase {
  bool operator==(const DsaAttention&) const = default;

  static constexpr OpInfo info{
      .id = "dsa_attention",
      .table = "glm5_dsa_attn_module_perf",
      .op_name = "glm5_dsa_attn_module",
      .doc = "Latent attention of every new token to the cached tokens that were selected for it.",
      .sol =
          "max(2*batch_size*num_heads*(2*kv_lora + rope)*pairs / peak(mla_dtype), batch_size*min(step + isl, "
          "topk)*"
          "(kv_lora + rope)*kv_bytes / memory_bw, (q + selected + out bytes) / llc_bw); pairs = sum over i < "
          "isl of "
          "min(step + i + 1, topk)",
  };

  static constexpr auto fields = std::tuple_cat(
      kDsaFieldsBeforeHeads,
      std::tuple{
          field("num_heads", &DsaKernelCase::heads, Role::axis, "query heads on this rank").flagged("heads")},
      kDsaFieldsBehindHeads);
  static const std::array<Axis<DsaAttention>, 4> axes;
  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent below topk, where pairs grow with the context; above it every token costs "
          "the same, "
          "and only the spread of its reads over the cache still depends on step and batch",
  };

  std::string_view why_invalid() const { return why_invalid_case(); }
  /// Read from the cache: what the last new token of each sequence attends to. The others may attend to the same.
  Work work() const;

  /// q[batch*isl, heads, kv_lora + rope] (bf16 for 8-bit products), cache[pages, 64, kv_lora + rope] (kv), page_table
  /// (dsa_page_table), selected[batch*isl, topk] (dsa_selection), out[batch*isl, heads, kv_lora] output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// The grid of DsaMqaLogits, for the heads of the models.
  static void model_cases(const ModelShapes& shapes, const CaseSink<DsaAttention>& sink);
};
inline constexpr std::array<Axis<DsaAttention>, 4> DsaAttention::axes = {
    axis<&DsaKernelCase::heads, DsaAttention>("heads"), kDsaTokenAxes<DsaAttention>[0],
    kDsaTokenAxes<DsaAttention>[1], kDsaTokenAxes<DsaAttention>[2]};
static_assert(Operation<DsaAttention>);

/// Position of each operand of DsaAttention.
enum DsaAttentionOperand : size_t { dsa_q_at, dsa_cache_at, dsa_page_table_at, dsa_selected_at, dsa_out_at };

}  // namespace perfatlas
