// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/op_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "perfatlas/aic/json_fields.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas::aic {
namespace {

constexpr int64_t kWideEpHeads = 128;  // of DeepSeek-V3, the model that these blocks are of

void read(JsonFields& f, Gemm& op) {
  f.required("n", op.n);
  f.required("k", op.k);
  f.required("quant_mode", op.quant);
  f.optional("scale_num_tokens", op.scale_num_tokens);
  f.optional("seq_split", op.seq_split);
  f.optional("low_precision_input", op.low_precision_input);
  f.optional("below_grid_sol", op.below_grid_sol);
}

void read(JsonFields& f, ContextAttention& op) {
  f.required("n", op.n);
  f.required("n_kv", op.n_kv);
  f.optional("head_size", op.head_size);
  f.optional("window_size", op.window_size);
  f.required("kvcache_quant_mode", op.kv_quant);
  f.required("fmha_quant_mode", op.fmha_quant);
  f.optional("use_qk_norm", op.use_qk_norm);
  f.optional("cp_size", op.cp_size);
  f.optional("attention_backend", op.attention_backend);
}

void read(JsonFields& f, GenerationAttention& op) {
  f.required("n", op.n);
  f.required("n_kv", op.n_kv);
  f.optional("head_size", op.head_size);
  f.optional("window_size", op.window_size);
  f.required("kv_cache_dtype", op.kv_quant);
  f.ignored("use_qk_norm");
  f.optional("attention_backend", op.attention_backend);
}

void read(JsonFields& f, EncoderAttention& op) {
  f.required("num_heads", op.n);
  f.required("head_size", op.head_size);
  f.optional("fmha_quant_mode", op.fmha_quant);
  f.optional("partial_rotary_factor", op.partial_rotary_factor);
}

void read(JsonFields& f, ContextMla& op) {
  f.required("num_heads", op.num_heads);
  f.required("kvcache_quant_mode", op.kv_quant);
  f.required("fmha_quant_mode", op.fmha_quant);
  f.optional("cp_size", op.cp_size);
}

void read(JsonFields& f, GenerationMla& op) {
  f.required("num_heads", op.num_heads);
  f.required("kv_cache_dtype", op.kv_quant);
}

void read(JsonFields& f, MlaBmm& op) {
  f.required("num_heads", op.num_heads);
  f.required("quant_mode", op.quant);
  f.optional("if_pre", op.is_pre);
}

void read(JsonFields& f, MlaModule& op) {
  f.required("is_context", op.context);
  f.required("num_heads", op.num_heads);
  f.required("kvcache_quant_mode", op.kv_quant);
  f.required("fmha_quant_mode", op.fmha_quant);
  f.required("gemm_quant_mode", op.gemm_quant);
  f.optional("native_num_heads", op.native_num_heads);
}

void read(JsonFields& f, WideEpMla& op) {
  int64_t tp = 1;
  f.required("tp_size", tp);
  if (tp < 1 || kWideEpHeads % tp != 0) f.wrong("tp_size", "a divisor of 128");
  op.num_heads = kWideEpHeads / tp;
  f.required("kvcache_quant_mode", op.kv_quant);
  f.required("fmha_quant_mode", op.fmha_quant);
  f.optional("attn_backend", op.attn_backend);
  f.optional("cp_size", op.cp_size);
}

void read(JsonFields& f, DsaModule& op) {
  f.required("num_heads", op.num_heads);
  if (!f.optional("kvcache_quant_mode", op.kv_quant)) f.required("kv_cache_dtype", op.kv_quant);
  if (op.context) f.required("fmha_quant_mode", op.fmha_quant);
  f.required("gemm_quant_mode", op.gemm_quant);
  f.optional("architecture", op.architecture);
  f.optional("cp_size", op.cp_size);
  int64_t every = 1;  // layers per indexer
  f.optional("index_topk_freq", every);
  if (every < 1) f.wrong("index_topk_freq", "a positive integer");
  op.full_fraction = 1 / double(every);
  f.optional("dsa_full_layer_fraction", op.full_fraction);
  op.projections = {op.gemm_quant, op.gemm_quant, op.gemm_quant, op.gemm_quant};
  if (const nlohmann::json* modes = f.find("attn_projection_quant_modes")) {
    JsonFields groups("attn_projection_quant_modes", *modes);
    groups.optional("q", op.projections.q);
    groups.optional("kv", op.projections.kv);
    groups.optional("o", op.projections.o);
    groups.optional("indexer", op.projections.indexer);
    groups.finish();
  }
}

void read(JsonFields& f, MsaModule& op) {
  f.required("num_heads", op.num_heads);
  f.required("num_kv_heads", op.num_kv_heads);
  f.required("hidden_size", op.hidden_size);
  f.required("head_dim", op.head_dim);
  f.required("v_head_dim", op.v_head_dim);
  f.required("index_n_heads", op.index_n_heads);
  f.required("index_head_dim", op.index_head_dim);
  f.required("index_topk", op.index_topk);
  f.required("block_size", op.block_size);
  f.required("kvcache_quant_mode", op.kv_quant);
  f.required("fmha_quant_mode", op.fmha_quant);
  f.required("gemm_quant_mode", op.gemm_quant);
  f.optional("dsa_architecture", op.dsa_architecture);
  f.optional("dsa_scale_k", op.dsa_scale_k);
}

void read(JsonFields& f, Dsv4Attention& op) {
  f.required("num_heads", op.num_heads);
  f.required("native_heads", op.native_heads);
  f.required("tp_size", op.tp_size);
  f.required("hidden_size", op.hidden_size);
  f.required("q_lora_rank", op.q_lora_rank);
  f.required("o_lora_rank", op.o_lora_rank);
  f.required("head_dim", op.head_dim);
  f.required("rope_head_dim", op.rope_head_dim);
  f.required("index_n_heads", op.index_n_heads);
  f.required("index_head_dim", op.index_head_dim);
  f.required("index_topk", op.index_topk);
  f.required("window_size", op.window_size);
  f.required("compress_ratio", op.compress_ratio);
  f.required("o_groups", op.o_groups);
  f.required("kvcache_quant_mode", op.kv_quant);
  f.required("fmha_quant_mode", op.fmha_quant);
  f.required("gemm_quant_mode", op.gemm_quant);
  f.required("architecture", op.architecture);
  f.optional("cp_size", op.cp_size);
}

void read(JsonFields& f, Mhc& op) {
  std::string part;
  f.required("op", part);
  if (part != "pre" && part != "post" && part != "both") f.wrong("op", "pre, post or both");
  op.part = part == "pre" ? Mhc::Part::pre : part == "post" ? Mhc::Part::post : Mhc::Part::both;
  f.required("hidden_size", op.hidden_size);
  f.required("hc_mult", op.hc_mult);
  f.required("sinkhorn_iters", op.sinkhorn_iters);
  f.required("quant_mode", op.quant);
  f.required("architecture", op.architecture);
  f.optional("seq_split", op.seq_split);
}

void read(JsonFields& f, Moe& op) {
  f.required("hidden_size", op.hidden_size);
  f.required("inter_size", op.inter_size);
  f.required("topk", op.topk);
  f.required("num_experts", op.num_experts);
  f.required("moe_tp_size", op.moe_tp_size);
  f.required("moe_ep_size", op.moe_ep_size);
  f.required("quant_mode", op.quant);
  f.required("workload_distribution", op.workload_distribution);
  f.required("attention_dp_size", op.attention_dp_size);
  f.optional("is_context", op.context);
  f.optional("is_gated", op.is_gated);
  f.optional("enable_eplb", op.enable_eplb);
  f.optional("moe_backend", op.moe_backend);
}

void read(JsonFields& f, MoeDispatch& op) {
  f.required("hidden_size", op.hidden_size);
  f.required("topk", op.topk);
  f.required("num_experts", op.num_experts);
  f.required("moe_tp_size", op.moe_tp_size);
  f.required("moe_ep_size", op.moe_ep_size);
  f.required("attention_dp_size", op.attention_dp_size);
  f.required("pre_dispatch", op.pre_dispatch);
  f.required("backend", op.backend);
  f.optional("quant_mode", op.quant);
  f.optional("is_context", op.context);
  f.optional("scale_num_tokens", op.scale_num_tokens);
  f.optional("attn_cp_size", op.attn_cp_size);
  f.optional("attn_ar_modeled", op.attn_ar_modeled);
  for (const char* name : {"enable_fp4_all2all", "sms", "moe_backend", "reduce_results"}) f.ignored(name);
}

void read(JsonFields& f, MoeAllToAll& op) {
  f.required("phase", op.phase);
  f.required("comm_backend", op.comm_backend);
  f.required("hidden_size", op.hidden_size);
  f.required("topk", op.topk);
  f.required("num_experts", op.num_experts);
  f.required("moe_ep_size", op.moe_ep_size);
  f.required("node_num", op.node_num);
  f.optional("comm_dtype", op.comm_dtype);
  f.optional("sms", op.sms);
  f.optional("attention_tp_size", op.attention_tp_size);
}

void read(JsonFields& f, ExpertCompute& op) {
  f.required("hidden_size", op.hidden_size);
  f.required("inter_size", op.inter_size);
  f.required("topk", op.topk);
  f.required("num_experts", op.num_experts);
  f.required("moe_ep_size", op.moe_ep_size);
  f.required("quant_mode", op.quant);
  f.required("workload_distribution", op.workload_distribution);
  f.required("attention_dp_size", op.attention_dp_size);
  std::string phase;
  f.required("inference_phase", phase);
  if (phase != "context" && phase != "generation") f.wrong("inference_phase", "context or generation");
  op.context = phase == "context";
  f.optional("num_slots", op.num_slots);
  f.optional("kernel_source", op.kernel_source);
  f.optional("is_gated", op.is_gated);
  f.optional("enable_eplb", op.enable_eplb);
}

void read(JsonFields& f, MegaMoe& op) {
  f.required("hidden_size", op.hidden_size);
  f.required("inter_size", op.inter_size);
  f.required("topk", op.topk);
  f.required("num_experts", op.num_experts);
  f.required("moe_tp_size", op.moe_tp_size);
  f.required("moe_ep_size", op.moe_ep_size);
  f.required("quant_mode", op.quant);
  f.required("workload_distribution", op.workload_distribution);
  f.optional("is_context", op.context);
  f.optional("source_policy", op.source_policy);
  f.optional("pre_dispatch", op.pre_dispatch);
  f.optional("num_fused_shared_experts", op.num_fused_shared_experts);
  f.optional("kernel_source", op.kernel_source);
  f.optional("kernel_dtype", op.kernel_dtype);
}

void read(JsonFields& f, CustomAllReduce& op) {
  f.required("h", op.hidden_size);
  f.required("tp_size", op.tp_size);
  f.optional("seq_split", op.seq_split);
}

void read(JsonFields& f, Nccl& op) {
  f.required("nccl_op", op.operation);
  f.required("num_elements_per_token", op.elements_per_token);
  f.required("num_gpus", op.num_gpus);
  f.required("comm_quant_mode", op.dtype);
  f.optional("seq_split", op.seq_split);
}

void read(JsonFields& f, P2p& op) {
  f.required("h", op.hidden_size);
  f.required("pp_size", op.pp_size);
  f.optional("seq_split", op.seq_split);
}

void read(JsonFields& f, Embedding& op) {
  f.required("row_size", op.vocab_size);
  f.required("column_size", op.hidden_size);
  f.ignored("empirical_bw_scaling_factor");
  f.optional("seq_split", op.seq_split);
}

void read(JsonFields& f, ElementWise& op) {
  double inputs = 0, outputs = 0;
  f.required("dim_in", inputs);
  f.required("dim_out", outputs);
  op.bytes_per_token = 2 * inputs + 2 * outputs;
  f.ignored("empirical_bw_scaling_factor");
  f.optional("scale_num_tokens", op.scale_num_tokens);
  f.optional("seq_split", op.seq_split);
}

SsmPhase read_phase(JsonFields& f) {
  std::string phase;
  f.required("phase", phase);
  if (phase == "context") return SsmPhase::context;
  if (phase == "generation") return SsmPhase::generation;
  if (phase != "verify") f.wrong("phase", "context, generation or verify");
  return SsmPhase::verify;
}

void read(JsonFields& f, Mamba2& op) {
  f.required("kernel_source", op.kernel_source);
  op.phase = read_phase(f);
  f.required("hidden_size", op.d_model);
  f.required("nheads", op.nheads);
  f.required("head_dim", op.head_dim);
  f.required("d_state", op.d_state);
  f.required("d_conv", op.d_conv);
  f.required("n_groups", op.n_groups);
  f.required("chunk_size", op.chunk_size);
  f.optional("seq_split", op.seq_split);
}

template <class DeltaNet>
void read_delta_net(JsonFields& f, DeltaNet& op) {
  f.required("kernel_source", op.kernel_source);
  op.phase = read_phase(f);
  f.required("d_model", op.d_model);
  f.required("num_k_heads", op.num_k_heads);
  f.required("head_k_dim", op.head_k_dim);
  f.required("num_v_heads", op.num_v_heads);
  f.required("head_v_dim", op.head_v_dim);
  f.required("d_conv", op.d_conv);
  f.optional("seq_split", op.seq_split);
}

void read(JsonFields& f, Gdn& op) {
  read_delta_net(f, op);
  f.optional("mamba_ssm_dtype", op.state_dtype);
}

void read(JsonFields& f, Kda& op) {
  read_delta_net(f, op);
  f.optional("draft_tokens", op.draft_tokens);
}

/// {"op": NAME, "ctor": {...}} or, of composed ops, {"op": NAME, their groups}.
Op nested(const nlohmann::json& object) {
  JsonFields f("an op inside another", object);
  std::string name;
  f.required("op", name);
  const nlohmann::json* fields = f.find("ctor");
  return op_from_json(name, fields != nullptr ? *fields : object);
}

std::vector<Op> read_group(JsonFields& f, std::string_view name) {
  const nlohmann::json* group = f.find(name);
  if (group == nullptr) return {};
  std::vector<Op> ops;
  if (group->is_array())
    for (const nlohmann::json& op : *group) ops.push_back(nested(op));
  else
    ops.push_back(nested(*group));
  return ops;
}

void read(JsonFields& f, Overlap& op) {
  op.group_a = read_group(f, "group_a");
  op.group_b = read_group(f, "group_b");
}

void read(JsonFields& f, Fallback& op) {
  op.primary = read_group(f, "primary");
  op.fallback = read_group(f, "fallback");
}

struct Reader {
  std::string_view name;
  Op (*read)(std::string_view name, const nlohmann::json& fields);
};

template <class T>
void read_op(std::string_view name, const nlohmann::json& fields, T& op) {
  JsonFields f(name, fields);
  f.ignored("op");
  f.optional("name", op.name);
  if constexpr (requires { op.scale_factor; }) f.optional("scale_factor", op.scale_factor);
  read(f, op);
  f.finish();
}

template <class T>
Op plain(std::string_view name, const nlohmann::json& fields) {
  Op result;
  read_op(name, fields, result.value.emplace<T>());
  return result;
}
/// Ops that are one type here and one class per phase there.
template <class T, bool context>
Op of_phase(std::string_view name, const nlohmann::json& fields) {
  Op result;
  T& op = result.value.emplace<T>();
  op.context = context;
  read_op(name, fields, op);
  return result;
}

constexpr std::array<Reader, 32> kReaders{
    {{"ContextAttention", &plain<ContextAttention>},
     {"ContextDSAModule", &of_phase<DsaModule, true>},
     {"ContextDeepSeekV4AttentionModule", &of_phase<Dsv4Attention, true>},
     {"ContextMLA", &plain<ContextMla>},
     {"ContextMSAModule", &of_phase<MsaModule, true>},
     {"CustomAllReduce", &plain<CustomAllReduce>},
     {"DeepSeekV4MHCModule", &plain<Mhc>},
     {"DeepSeekV4MegaMoEModule", &plain<MegaMoe>},
     {"ElementWise", &plain<ElementWise>},
     {"Embedding", &plain<Embedding>},
     {"EncoderAttention", &plain<EncoderAttention>},
     {"FallbackOp", &plain<Fallback>},
     {"GDNKernel", &plain<Gdn>},
     {"GEMM", &plain<Gemm>},
     {"GenerationAttention", &plain<GenerationAttention>},
     {"GenerationDSAModule", &of_phase<DsaModule, false>},
     {"GenerationDeepSeekV4AttentionModule", &of_phase<Dsv4Attention, false>},
     {"GenerationMLA", &plain<GenerationMla>},
     {"GenerationMSAModule", &of_phase<MsaModule, false>},
     {"KDAKernel", &plain<Kda>},
     {"MLABmm", &plain<MlaBmm>},
     {"MLAModule", &plain<MlaModule>},
     {"Mamba2Kernel", &plain<Mamba2>},
     {"MoE", &plain<Moe>},
     {"MoEAllToAll", &plain<MoeAllToAll>},
     {"MoEDispatch", &plain<MoeDispatch>},
     {"MoEExpertCompute", &plain<ExpertCompute>},
     {"NCCL", &plain<Nccl>},
     {"OverlapOp", &plain<Overlap>},
     {"P2P", &plain<P2p>},
     {"WideEPContextMLA", &of_phase<WideEpMla, true>},
     {"WideEPGenerationMLA", &of_phase<WideEpMla, false>}}};

}  // namespace

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const Reader& reader : kReaders) names.push_back(reader.name);
  return names;
}

Op op_from_json(std::string_view name, const nlohmann::json& fields) {
  const auto reader =
      std::find_if(kReaders.begin(), kReaders.end(), [&](const Reader& r) { return r.name == name; });
  if (reader == kReaders.end())
    throw UsageError(fmt::format("there is no op '{}'; ops are {}", name, join_words(op_names())));
  return reader->read(reader->name, fields);
}

PhasePoint phase_point_from_json(const nlohmann::json& question) {
  JsonFields f("the question", question);
  PhasePoint at;
  f.optional("is_context", at.context);
  f.optional("batch_size", at.batch);
  f.optional("s", at.s);
  f.optional("prefix", at.prefix);
  f.optional("imbalance", at.imbalance);
  at.tokens = at.context ? at.batch * at.s : at.batch;
  f.optional("x", at.tokens);
  return at;
}

}  // namespace perfatlas::aic
