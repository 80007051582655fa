// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kFields =
    "num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode gemm_type>gemm_quant_mode";

}  // namespace

void add_mla_module_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "mla_context_module",
                 .name = "MLAModule",
                 .place = CasePlace::context,
                 .fields = kFields,
                 .fixed = R"({"is_context":true})"});
  all.push_back({.op_id = "mla_generation_module",
                 .name = "MLAModule",
                 .place = CasePlace::generation,
                 .fields = kFields,
                 .fixed = R"({"is_context":false})"});
}

}  // namespace perfatlas::aic
