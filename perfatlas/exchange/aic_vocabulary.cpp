// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>

namespace perfatlas {
namespace {

// The enumerations of aiconfigurator 0.12 by the columns that hold them.
constexpr std::string_view kGemmTypes[] = {"bfloat16",   "int8_wo",   "int4_wo",    "fp8",
                                           "fp8_static", "fp8_block", "fp8_ootb",   "sq",
                                           "nvfp4",      "nvfp4_wo",  "w4a16_nvfp4"};
constexpr std::string_view kMoeTypes[] = {"bfloat16",         "fp8",
                                          "fp8_block",        "int4_wo",
                                          "w4afp8",           "nvfp4",
                                          "nvfp4_wo",         "w4a16_nvfp4",
                                          "w4a16_mxfp4",      "w4a16_mxfp4_cutlass",
                                          "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm"};
constexpr std::string_view kAttentionTypes[] = {"bfloat16", "float16", "fp8", "fp8_e4m3", "fp8_block"};
constexpr std::string_view kCacheTypes[] = {"bfloat16", "int8", "fp8", "fp8_e4m3"};
constexpr std::string_view kLibraryMessages[] = {"half", "int8", "fp8"};
constexpr std::string_view kFrameworkMessages[] = {"bfloat16", "half", "int8", "fp8"};
constexpr std::string_view kScaleTypes[] = {"fp8", "fp8_static", "fp8_block", "int8", "sq"};

struct TypeColumn {
  std::string_view column;
  std::span<const std::string_view> names;
};
constexpr TypeColumn kTypeColumns[] = {
    {"gemm_dtype", kGemmTypes},      {"gemm_type", kGemmTypes},
    {"bmm_dtype", kGemmTypes},       {"moe_dtype", kMoeTypes},
    {"attn_dtype", kAttentionTypes}, {"mla_dtype", kAttentionTypes},
    {"kv_cache_dtype", kCacheTypes}, {"nccl_dtype", kLibraryMessages},
    {"quant_dtype", kScaleTypes},    {"allreduce_dtype", kFrameworkMessages},
};

constexpr std::string_view kTables[] = {
    "gemm_perf",
    "computescale_perf",
    "scale_matrix_perf",
    "context_attention_perf",
    "generation_attention_perf",
    "encoder_attention_perf",
    "context_mla_perf",
    "generation_mla_perf",
    "mla_context_module_perf",
    "mla_generation_module_perf",
    "mla_bmm_perf",
    "dsa_context_module_perf",
    "dsa_generation_module_perf",
    "msa_context_module_perf",
    "msa_generation_module_perf",
    "dsv4_csa_context_module_perf",
    "dsv4_csa_generation_module_perf",
    "dsv4_hca_context_module_perf",
    "dsv4_hca_generation_module_perf",
    "dsv4_paged_mqa_logits_module_perf",
    "dsv4_hca_attn_module_perf",
    "dsv4_csa_topk_calib_perf",
    "wideep_context_mla_perf",
    "wideep_generation_mla_perf",
    "wideep_context_moe_perf",
    "wideep_generation_moe_perf",
    "wideep_moe_perf",
    "wideep_deepep_normal_perf",
    "wideep_deepep_ll_perf",
    "dsv4_megamoe_module_perf",
    "moe_a2a_perf",
    "trtllm_alltoall_perf",
    "glm5_mqa_logits_module_perf",
    "glm5_topk_module_perf",
    "glm5_dsa_attn_module_perf",
    "moe_perf",
    "gdn_perf",
    "mamba2_perf",
    "kda_perf",
    "mhc_module_perf",
    "custom_allreduce_perf",
    "nccl_perf",
    "oneccl_perf",
};

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool aic_reads_table(std::string_view stem) { return contains(kTables, stem); }

std::span<const std::string_view> aic_type_names(std::string_view column) {
  for (const TypeColumn& known : kTypeColumns)
    if (known.column == column) return known.names;
  return {};
}

std::string why_unknown_to_aic(const Case& c) {
  for (size_t i = 0; i < c.op->fields.size(); ++i) {
    const FieldType& field = c.op->fields[i];
    const std::span<const std::string_view> known = aic_type_names(field.column);
    if (known.empty() || field.role != Role::exact) continue;
    const std::string text = field.format(c.values[i]);
    if (!contains(known, text)) return fmt::format("{} {} is unknown to aiconfigurator", field.column, text);
  }
  return {};
}

}  // namespace perfatlas
