// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {
namespace {

void set_direction(const Case&, nlohmann::json& fields) {
  fields["if_pre"] = fields["if_pre"] == "mla_gen_pre";
}

}  // namespace

void add_mla_bmm_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "mla_bmm",
                 .name = "MLABmm",
                 .place = CasePlace::tokens,
                 .tokens = "num_tokens",
                 .fields = "num_heads bmm_dtype>quant_mode op_name>if_pre",
                 .amend = &set_direction});
}

}  // namespace perfatlas::aic
