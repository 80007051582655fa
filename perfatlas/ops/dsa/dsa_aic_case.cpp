// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kContext =
    "architecture num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode "
    "gemm_type>gemm_quant_mode";
constexpr std::string_view kGeneration = "architecture num_heads kv_cache_dtype gemm_type>gemm_quant_mode";

}  // namespace

void add_dsa_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "dsa_context_module",
                 .name = "ContextDSAModule",
                 .place = CasePlace::context,
                 .fields = kContext});
  all.push_back({.op_id = "dsa_generation_module",
                 .name = "GenerationDSAModule",
                 .place = CasePlace::generation,
                 .fields = kGeneration});
  all.push_back({.op_id = "dsa_context_module_skip_indexer",
                 .name = "ContextDSAModule",
                 .place = CasePlace::context,
                 .fields = kContext,
                 .fixed = R"({"dsa_full_layer_fraction":0})"});
  all.push_back({.op_id = "dsa_generation_module_skip_indexer",
                 .name = "GenerationDSAModule",
                 .place = CasePlace::generation,
                 .fields = kGeneration,
                 .fixed = R"({"dsa_full_layer_fraction":0})"});
}

}  // namespace perfatlas::aic
