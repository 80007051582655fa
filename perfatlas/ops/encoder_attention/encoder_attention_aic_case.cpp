// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_encoder_attention_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "encoder_attention",
                 .name = "EncoderAttention",
                 .place = CasePlace::images,
                 .fields = "num_heads head_dim>head_size attn_dtype>fmha_quant_mode"});
}

}  // namespace perfatlas::aic
