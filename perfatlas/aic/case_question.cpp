// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/case_question.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/aic/op_json.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/ops/dsv4/dsv4_case.h"
#include "perfatlas/ops/gdn/gdn_aic.h"
#include "perfatlas/ops/msa/msa.h"

namespace perfatlas::aic {
namespace {

/// How a case says where in serving it is.
enum class Place {
  tokens,      // of a step: num_tokens, m, or the elements of a message at one element a token
  context,     // batch_size, isl, step tokens before them
  generation,  // batch_size; sequences of isl + step
  images,      // batch_size, isl; nothing before them
  kernel,      // phase, batch_size, seq_len
};

struct Mapping {
  std::string_view op_id;
  std::string_view name;  // of the engine's op, see op_names()
  Place place;
  std::string_view tokens;  // Place::tokens: the column
  std::string_view fields;  // columns, "column>field" where the engine's op calls it otherwise
  std::string_view fixed;   // more fields, as JSON
  /// Fields that follow from others; null: none.
  void (*amend)(const Case& asked, nlohmann::json& fields) = nullptr;
};

int64_t integer(const Case& asked, std::string_view column) {
  return asked.values[*asked.op->find_field(column)];
}

void set_direction(const Case&, nlohmann::json& fields) {
  fields["if_pre"] = fields["if_pre"] == "mla_gen_pre";
}

/// Drafts are checked as so many tokens at once.
void set_drafts(const Case& asked, nlohmann::json& fields) {
  if (fields["phase"] == "verify") fields["draft_tokens"] = integer(asked, "seq_len");
}

void set_decode_kernel(const Case&, nlohmann::json& fields) {
  fields["kernel_source"] = gdn_kernel_asked(fields["kernel_source"].get_ref<const std::string&>());
}

void set_context(const Case&, nlohmann::json& fields) {
  fields["is_context"] = fields["is_context"] == "context";
}

void set_msa_sizes(const Case& asked, nlohmann::json& fields) {
  constexpr MsaGeometry g;
  fields["num_kv_heads"] = std::max<int64_t>(1, integer(asked, "num_heads") / g.heads_per_kv);
  fields["hidden_size"] = g.hidden;
  fields["head_dim"] = g.head_dim;
  fields["v_head_dim"] = g.value_dim;
  fields["index_n_heads"] = g.index_heads;
  fields["index_head_dim"] = g.index_dim;
  fields["index_topk"] = g.topk;
  fields["block_size"] = g.block;
}

void set_dsv4_sizes(const Case& asked, nlohmann::json& fields) {
  const int64_t tp = integer(asked, "tp_size"), all_heads = integer(asked, "num_heads") * tp;
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

/// The engine names ranks, the table the heads that each has.
void set_wide_ep_ranks(const Case& asked, nlohmann::json& fields) {
  const int64_t heads = integer(asked, "num_heads");
  if (heads < 1 || kLatentTableHeads % heads != 0)
    throw UsageError(
        fmt::format("num_heads {} is no divisor of the {} heads of this model", heads, kLatentTableHeads));
  fields["tp_size"] = kLatentTableHeads / heads;
}

/// The tables hold one type, and the engine asks for no other.
void need_fp8(const Case&, nlohmann::json& fields) {
  if (fields["quant_dtype"] != "fp8")
    throw UsageError(fmt::format("the engine aic quantises to fp8 only, not to {}; ask engine atlas",
                                 fields["quant_dtype"].get<std::string>()));
  fields.erase("quant_dtype");
}

constexpr std::string_view kHeads =
    "num_heads>n num_key_value_heads>n_kv head_dim>head_size window_size kv_cache_dtype";
constexpr std::string_view kMoeFields =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_tp_size moe_ep_size "
    "distribution>workload_distribution gated>is_gated";
constexpr std::string_view kModuleFields =
    "num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode gemm_type>gemm_quant_mode";
constexpr std::string_view kDsaFields =
    "architecture num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode "
    "gemm_type>gemm_quant_mode";
constexpr std::string_view kDsv4Fields =
    "architecture num_heads tp_size compress_ratio kv_cache_dtype>kvcache_quant_mode "
    "mla_dtype>fmha_quant_mode gemm_type>gemm_quant_mode";
constexpr std::string_view kWideEpMlaFields =
    "kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode kernel_source>attn_backend";
constexpr std::string_view kExpertFields =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_ep_size "
    "distribution>workload_distribution";
constexpr std::string_view kSlotFields =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_ep_size "
    "distribution>workload_distribution kernel_source num_slots";
constexpr std::string_view kPhaseSlotFields =
    "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_ep_size "
    "distribution>workload_distribution kernel_source num_slots inference_phase";
constexpr std::string_view kDeltaNetFields =
    "kernel_source phase d_model d_conv num_k_heads head_k_dim num_v_heads head_v_dim";

constexpr Mapping kMappings[] = {
    {"gemm", "GEMM", Place::tokens, "m", "n k gemm_dtype>quant_mode", "{}"},
    {"attention_context", "ContextAttention", Place::context, "",
     "num_heads>n num_key_value_heads>n_kv head_dim>head_size window_size "
     "kv_cache_dtype>kvcache_quant_mode attn_dtype>fmha_quant_mode",
     "{}"},
    {"attention_generation", "GenerationAttention", Place::generation, "", kHeads, "{}"},
    {"encoder_attention", "EncoderAttention", Place::images, "",
     "num_heads head_dim>head_size attn_dtype>fmha_quant_mode", "{}"},
    {"mla_context", "ContextMLA", Place::context, "",
     "num_heads kv_cache_dtype>kvcache_quant_mode mla_dtype>fmha_quant_mode", "{}"},
    {"mla_generation", "GenerationMLA", Place::generation, "", "num_heads kv_cache_dtype", "{}"},
    {"mla_bmm", "MLABmm", Place::tokens, "num_tokens", "num_heads bmm_dtype>quant_mode op_name>if_pre", "{}",
     &set_direction},
    {"mla_context_module", "MLAModule", Place::context, "", kModuleFields, R"({"is_context":true})"},
    {"mla_generation_module", "MLAModule", Place::generation, "", kModuleFields, R"({"is_context":false})"},
    {"dsa_context_module", "ContextDSAModule", Place::context, "", kDsaFields, "{}"},
    {"dsa_generation_module", "GenerationDSAModule", Place::generation, "",
     "architecture num_heads kv_cache_dtype gemm_type>gemm_quant_mode", "{}"},
    {"dsa_context_module_skip_indexer", "ContextDSAModule", Place::context, "", kDsaFields,
     R"({"dsa_full_layer_fraction":0})"},
    {"dsa_generation_module_skip_indexer", "GenerationDSAModule", Place::generation, "",
     "architecture num_heads kv_cache_dtype gemm_type>gemm_quant_mode", R"({"dsa_full_layer_fraction":0})"},
    {"msa_context_module", "ContextMSAModule", Place::context, "", kModuleFields, "{}", &set_msa_sizes},
    {"msa_generation_module", "GenerationMSAModule", Place::generation, "", kModuleFields, "{}",
     &set_msa_sizes},
    {"dsv4_csa_context_module", "ContextDeepSeekV4AttentionModule", Place::context, "", kDsv4Fields, "{}",
     &set_dsv4_sizes},
    {"dsv4_hca_context_module", "ContextDeepSeekV4AttentionModule", Place::context, "", kDsv4Fields, "{}",
     &set_dsv4_sizes},
    {"dsv4_csa_generation_module", "GenerationDeepSeekV4AttentionModule", Place::generation, "", kDsv4Fields,
     "{}", &set_dsv4_sizes},
    {"dsv4_hca_generation_module", "GenerationDeepSeekV4AttentionModule", Place::generation, "", kDsv4Fields,
     "{}", &set_dsv4_sizes},
    {"wide_ep_context_mla", "WideEPContextMLA", Place::context, "", kWideEpMlaFields, "{}",
     &set_wide_ep_ranks},
    {"wide_ep_generation_mla", "WideEPGenerationMLA", Place::generation, "", kWideEpMlaFields, "{}",
     &set_wide_ep_ranks},
    {"wide_ep_context_moe", "MoEExpertCompute", Place::tokens, "num_tokens", kExpertFields,
     R"({"attention_dp_size":1,"inference_phase":"context"})"},
    {"wide_ep_generation_moe", "MoEExpertCompute", Place::tokens, "num_tokens", kExpertFields,
     R"({"attention_dp_size":1,"inference_phase":"generation"})"},
    {"wide_ep_moe", "MoEExpertCompute", Place::tokens, "num_tokens", kSlotFields,
     R"({"attention_dp_size":1,"inference_phase":"generation"})"},
    {"expert_compute", "MoEExpertCompute", Place::tokens, "num_tokens", kPhaseSlotFields,
     R"({"attention_dp_size":1})"},
    {"dsv4_mega_moe", "DeepSeekV4MegaMoEModule", Place::tokens, "num_tokens",
     "moe_dtype>quant_mode hidden_size inter_size topk num_experts moe_tp_size moe_ep_size "
     "distribution>workload_distribution phase>is_context source_policy pre_dispatch "
     "num_fused_shared_experts "
     "kernel_dtype",
     "{}", &set_context},
    {"compute_scale", "ComputeScale", Place::tokens, "m", "k quant_dtype", "{}", &need_fp8},
    {"scale_matrix", "ScaleMatrix", Place::tokens, "m", "k quant_dtype", "{}", &need_fp8},
    {"moe", "MoE", Place::tokens, "num_tokens", kMoeFields, R"({"attention_dp_size":1})"},
    {"collective", "NCCL", Place::tokens, "message_size",
     "op_name>nccl_op nccl_dtype>comm_quant_mode num_gpus", R"({"num_elements_per_token":1})"},
    {"custom_all_reduce", "CustomAllReduce", Place::tokens, "message_size", "num_gpus>tp_size", R"({"h":1})"},
    {"p2p", "P2P", Place::tokens, "message_size", "num_gpus>pp_size", R"({"h":1})"},
    {"embedding", "Embedding", Place::tokens, "num_tokens", "vocab_size>row_size hidden_size>column_size",
     "{}"},
    {"moe_all_to_all", "MoEAllToAll", Place::tokens, "num_tokens",
     "comm_backend phase comm_dtype ep_size>moe_ep_size node_num hidden_size topk num_experts sms", "{}"},
    {"gdn", "GDNKernel", Place::kernel, "", kDeltaNetFields, "{}", &set_decode_kernel},
    {"kda", "KDAKernel", Place::kernel, "", kDeltaNetFields, "{}", &set_drafts},
    {"mamba2", "Mamba2Kernel", Place::kernel, "",
     "kernel_source phase d_model>hidden_size nheads head_dim d_state d_conv n_groups chunk_size", "{}"},
    {"mhc_module", "DeepSeekV4MHCModule", Place::tokens, "num_tokens",
     "op_name>op hidden_size hc_mult sinkhorn_iters architecture", R"({"quant_mode":"bfloat16"})"},
};

nlohmann::json value_of(const Case& asked, std::string_view column) {
  const size_t i = *asked.op->find_field(column);
  const FieldType& field = asked.op->fields[i];
  if (field.kind == ValueKind::integer) return asked.values[i];
  if (field.kind == ValueKind::boolean) return asked.values[i] != 0;
  return field.format(asked.values[i]);
}

PhasePoint point_of(const Case& asked, const Mapping& mapping) {
  switch (mapping.place) {
    case Place::tokens:
      return {.tokens = integer(asked, mapping.tokens)};
    case Place::context:
      return PhasePoint::in_context(integer(asked, "batch_size"), integer(asked, "isl"),
                                    integer(asked, "step"));
    case Place::generation:
      return PhasePoint::in_generation(integer(asked, "batch_size"),
                                       integer(asked, "isl") + integer(asked, "step"));
    case Place::images:
      return PhasePoint::in_context(integer(asked, "batch_size"), integer(asked, "isl"));
    case Place::kernel:
      break;
  }
  PhasePoint at = PhasePoint::in_context(integer(asked, "batch_size"), integer(asked, "seq_len"));
  at.context = value_of(asked, "phase") == "context";
  return at;
}

nlohmann::json fields_of(const Case& asked, const Mapping& mapping) {
  nlohmann::json fields = nlohmann::json::parse(mapping.fixed);
  for (const std::string_view entry : split(mapping.fields, ' ')) {
    const size_t sign = entry.find('>');
    const std::string_view column = entry.substr(0, sign);
    const std::string name(sign == entry.npos ? column : entry.substr(sign + 1));
    fields[name] = value_of(asked, column);
  }
  if (mapping.amend != nullptr) mapping.amend(asked, fields);
  return fields;
}

}  // namespace

std::optional<CaseQuestion> question_of(const Case& asked) {
  const Mapping* const mapping = std::find_if(std::begin(kMappings), std::end(kMappings),
                                              [&](const Mapping& m) { return m.op_id == asked.op->info.id; });
  if (mapping == std::end(kMappings)) return std::nullopt;
  return CaseQuestion{op_from_json(mapping->name, fields_of(asked, *mapping)), point_of(asked, *mapping)};
}

}  // namespace perfatlas::aic
