// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {

void add_embedding_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "embedding",
                 .name = "Embedding",
                 .place = CasePlace::tokens,
                 .tokens = "num_tokens",
                 .fields = "vocab_size>row_size hidden_size>column_size"});
}

}  // namespace perfatlas::aic
