// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_mla_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "mla_context",
                 .name = "ContextMLA",
                 .place = CasePlace::context,
                 .fields = "num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode"});
  all.push_back({.op_id = "mla_generation",
                 .name = "GenerationMLA",
                 .place = CasePlace::generation,
                 .fields = "num_heads kv_cache_dtype"});
}

}  // namespace perfatlas::aic
