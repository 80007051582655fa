// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_mapping.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kExperts =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_ep_size "
    "distribution>workload_distribution";
constexpr std::string_view kSlots =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_ep_size "
    "distribution>workload_distribution kernel_source num_slots";
constexpr std::string_view kPhaseSlots =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_ep_size "
    "distribution>workload_distribution kernel_source num_slots inference_phase";

void set_context(const Case&, nlohmann::json& fields) {
  fields["is_context"] = fields["is_context"] == "context";
}

}  // namespace

void add_wide_ep_moe_case_mappings(CaseMappings& all) {
  const auto add = [&](std::string_view id, std::string_view fields, std::string_view fixed) {
    all.push_back({.op_id = id,
                   .name = "MoEExpertCompute",
                   .place = CasePlace::tokens,
                   .tokens = "num_tokens",
                   .fields = fields,
                   .fixed = fixed});
  };
  add("wide_ep_context_moe", kExperts, R"({"attention_dp_size":1,"inference_phase":"context"})");
  add("wide_ep_generation_moe", kExperts, R"({"attention_dp_size":1,"inference_phase":"generation"})");
  add("wide_ep_moe", kSlots, R"({"attention_dp_size":1,"inference_phase":"generation"})");
  add("expert_compute", kPhaseSlots, R"({"attention_dp_size":1})");
  all.push_back({.op_id = "dsv4_mega_moe",
                 .name = "DeepSeekV4MegaMoEModule",
                 .place = CasePlace::tokens,
                 .tokens = "num_tokens",
                 .fields = "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_tp_size "
                           "moe_ep_size distribution>workload_distribution phase>is_context source_policy "
                           "pre_dispatch num_fused_shared_experts kernel_dtype",
                 .amend = &set_context});
}

}  // namespace perfatlas::aic
