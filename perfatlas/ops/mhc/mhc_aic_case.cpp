// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_mhc_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "mhc_module",
                 .name = "DeepSeekV4MHCModule",
                 .place = CasePlace::tokens,
                 .tokens = "num_tokens",
                 .fields = "op_name>op hidden_size hc_mult sinkhorn_iters architecture",
                 .fixed = R"({"quant_mode":"bfloat16"})"});
}

}  // namespace perfatlas::aic
