// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/aic/case_mapping.h"
#include "perfatlas/ops/msa/msa.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kFields =
    "num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode gemm_type>gemm_quant_mode";

void set_sizes(const Case& asked, nlohmann::json& fields) {
  constexpr MsaGeometry g;
  fields["num_kv_heads"] = std::max<int64_t>(1, integer_of(asked, "num_heads") / g.heads_per_kv);
  fields["hidden_size"] = g.hidden;
  fields["head_dim"] = g.head_dim;
  fields["v_head_dim"] = g.value_dim;
  fields["index_n_heads"] = g.index_heads;
  fields["index_head_dim"] = g.index_dim;
  fields["index_topk"] = g.topk;
  fields["block_size"] = g.block;
}

}  // namespace

void add_msa_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "msa_context_module",
                 .name = "ContextMSAModule",
                 .place = CasePlace::context,
                 .fields = kFields,
                 .amend = &set_sizes});
  all.push_back({.op_id = "msa_generation_module",
                 .name = "GenerationMSAModule",
                 .place = CasePlace::generation,
                 .fields = kFields,
                 .amend = &set_sizes});
}

}  // namespace perfatlas::aic
