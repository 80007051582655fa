// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_attention_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "attention_context",
                 .name = "ContextAttention",
                 .place = CasePlace::context,
                 .fields = "num_heads>n num_key_value_heads>n_kv head_dim>head_size window_size "
                           "kv_cache_dtype>kvcache_quant_mode attn_dtype>fmha_quant_mode"});
  all.push_back(
      {.op_id = "attention_generation",
       .name = "GenerationAttention",
       .place = CasePlace::generation,
       .fields = "num_heads>n num_key_value_heads>n_kv head_dim>head_size window_size kv_cache_dtype"});
}

}  // namespace perfatlas::aic
