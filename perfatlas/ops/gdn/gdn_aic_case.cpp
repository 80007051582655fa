// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"
#include "perfatlas/ops/gdn/gdn_aic.h"

namespace perfatlas::aic {
namespace {

void set_decode_kernel(const Case&, nlohmann::json& fields) {
  fields["kernel_source"] = gdn_kernel_asked(fields["kernel_source"].get_ref<const std::string&>());
}

}  // namespace

void add_gdn_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "gdn",
                 .name = "GDNKernel",
                 .place = CasePlace::kernel,
                 .fields = "kernel_source phase d_model d_conv num_k_heads head_k_dim num_v_heads head_v_dim",
                 .amend = &set_decode_kernel});
}

}  // namespace perfatlas::aic
