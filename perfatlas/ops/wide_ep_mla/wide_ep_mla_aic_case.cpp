// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "perfatlas/aic/case_mapping.h"
#include "perfatlas/aic/op_mla.h"
#include "perfatlas/base/error.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kFields =
    "kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode kernel_source>attn_backend";

/// The engine names ranks, the table the heads that each has.
void set_ranks(const Case& asked, nlohmann::json& fields) {
  const int64_t heads = integer_of(asked, "num_heads");
  if (heads < 1 || kLatentTableHeads % heads != 0)
    throw UsageError(
        fmt::format("num_heads {} is no divisor of the {} heads of this model", heads, kLatentTableHeads));
  fields["tp_size"] = kLatentTableHeads / heads;
}

}  // namespace

void add_wide_ep_mla_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "wide_ep_context_mla",
                 .name = "WideEPContextMLA",
                 .place = CasePlace::context,
                 .fields = kFields,
                 .amend = &set_ranks});
  all.push_back({.op_id = "wide_ep_generation_mla",
                 .name = "WideEPGenerationMLA",
                 .place = CasePlace::generation,
                 .fields = kFields,
                 .amend = &set_ranks});
}

}  // namespace perfatlas::aic
