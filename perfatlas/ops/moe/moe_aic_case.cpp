// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_moe_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "moe",
                 .name = "MoE",
                 .place = CasePlace::tokens,
                 .tokens = "num_tokens",
                 .fields = "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_tp_size "
                           "moe_ep_size distribution>workload_distribution gated>is_gated",
                 .fixed = R"({"attention_dp_size":1})"});
}

}  // namespace perfatlas::aic
