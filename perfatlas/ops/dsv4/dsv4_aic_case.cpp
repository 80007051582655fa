// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/aic/case_mapping.h"
#include "perfatlas/ops/dsv4/dsv4_case.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kFields =
    "architecture num_heads tp_size compress_ratio kv_cache_dtype>kvcache_quant_mode "
    "mla_dtype>fmha_quant_mode gemm_type>gemm_quant_mode";

void set_sizes(const Case& asked, nlohmann::json& fields) {
  const int64_t tp = integer_of(asked, "tp_size"), all_heads = integer_of(asked, "num_heads") * tp;
  const Dsv4Geometry g = dsv4_geometry(all_heads);
  fields["native_heads"] = all_heads;
  fields["hidden_size"] = g.hidden;
  fields["q_lora_rank"] = g.q_lora;
  fields["o_lora_rank"] = g.o_lora;
  fields["head_dim"] = g.head_dim;
  fields["rope_head_dim"] = g.rope;
  fields["index_n_heads"] = g.index_heads;
  fields["index_head_dim"] = g.index_dim;
  fields["index_topk"] = g.topk;
  fields["window_size"] = g.window;
  fields["o_groups"] = std::max<int64_t>(1, g.o_groups / tp);
}

}  // namespace

void add_dsv4_case_mappings(CaseMappings& all) {
  for (const std::string_view id : {"dsv4_csa_context_module", "dsv4_hca_context_module"})
    all.push_back({.op_id = id,
                   .name = "ContextDeepSeekV4AttentionModule",
                   .place = CasePlace::context,
                   .fields = kFields,
                   .amend = &set_sizes});
  for (const std::string_view id : {"dsv4_csa_generation_module", "dsv4_hca_generation_module"})
    all.push_back({.op_id = id,
                   .name = "GenerationDeepSeekV4AttentionModule",
                   .place = CasePlace::generation,
                   .fields = kFields,
                   .amend = &set_sizes});
}

}  // namespace perfatlas::aic
