// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_mamba2_case_mappings(CaseMappings& all) {
  all.push_back(
      {.op_id = "mamba2",
       .name = "Mamba2Kernel",
       .place = CasePlace::kernel,
       .fields =
           "kernel_source phase d_model>hidden_size nheads head_dim d_state d_conv n_groups chunk_size"});
}

}  // namespace perfatlas::aic
