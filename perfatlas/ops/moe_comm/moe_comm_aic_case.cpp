// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_moe_comm_case_mappings(CaseMappings& all) {
  all.push_back(
      {.op_id = "moe_all_to_all",
       .name = "MoEAllToAll",
       .place = CasePlace::tokens,
       .tokens = "num_tokens",
       .fields =
           "comm_backend phase comm_dtype ep_size>moe_ep_size node_num hidden_size topk num_experts sms"});
}

}  // namespace perfatlas::aic
