// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_gemm_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "gemm",
                 .name = "GEMM",
                 .place = CasePlace::tokens,
                 .tokens = "m",
                 .fields = "n k gemm_dtype>quant_mode"});
}

}  // namespace perfatlas::aic
