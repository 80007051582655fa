// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_collective_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "collective",
                 .name = "NCCL",
                 .place = CasePlace::tokens,
                 .tokens = "message_size",
                 .fields = "op_name>nccl_op nccl_dtype>comm_quant_mode num_gpus",
                 .fixed = R"({"num_elements_per_token":1})"});
  all.push_back({.op_id = "custom_all_reduce",
                 .name = "CustomAllReduce",
                 .place = CasePlace::tokens,
                 .tokens = "message_size",
                 .fields = "num_gpus>tp_size",
                 .fixed = R"({"h":1})"});
  all.push_back({.op_id = "p2p",
                 .name = "P2P",
                 .place = CasePlace::tokens,
                 .tokens = "message_size",
                 .fields = "num_gpus>pp_size",
                 .fixed = R"({"h":1})"});
}

}  // namespace perfatlas::aic
