// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {
namespace {

/// Drafts are checked as so many tokens at once.
void set_drafts(const Case& asked, nlohmann::json& fields) {
  if (fields["phase"] == "verify") fields["draft_tokens"] = integer_of(asked, "seq_len");
}

}  // namespace

void add_kda_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "kda",
                 .name = "KDAKernel",
                 .place = CasePlace::kernel,
                 .fields = "kernel_source phase d_model d_conv num_k_heads head_k_dim num_v_heads head_v_dim",
                 .amend = &set_drafts});
}

}  // namespace perfatlas::aic
