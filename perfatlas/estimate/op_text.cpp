// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/op_text.h"

#include <fmt/format.h>

#include <type_traits>

#include "perfatlas/estimate/op_weights.h"

namespace perfatlas::estimate {
namespace {

/// Collects fields; those at their usual value are left out.
class Fields {
 public:
  explicit Fields(OpText& text) : text_(text) {}
  void operator()(std::string_view name, int64_t value) {
    text_.fields.emplace_back(name, fmt::format("{}", value));
  }
  void operator()(std::string_view name, double value) {
    text_.fields.emplace_back(name, fmt::format("{}", value));
  }
  void operator()(std::string_view name, aic::QuantMode mode) {
    text_.fields.emplace_back(name, name_of(mode));
  }
  void operator()(std::string_view name, const std::string& value) { text_.fields.emplace_back(name, value); }
  template <class T>
  void unless(std::string_view name, const T& value, const T& usual) {
    if (value != usual) (*this)(name, value);
  }
  void flag(std::string_view name, bool value) {
    if (value) text_.fields.emplace_back(name, "yes");
  }

 private:
  OpText& text_;
};

constexpr int64_t kOne = 1, kZero = 0;

std::string_view describe(const aic::Gemm& op, Fields& f) {
  f("n", op.n);
  f("k", op.k);
  f("quant", op.quant);
  f.unless("token_divisor", op.scale_num_tokens, kOne);
  f.unless("seq_split", op.seq_split, kOne);
  f.flag("low_precision_input", op.low_precision_input);
  f.flag("below_grid_sol", op.below_grid_sol);
  return "gemm";
}

template <class Attention>
void describe_attention(const Attention& op, Fields& f) {
  f("heads", op.n);
  f("kv_heads", op.n_kv);
  f("head_dim", op.head_size);
  f.unless("window", op.window_size, kZero);
  f("kv", op.kv_quant);
}

std::string_view describe(const aic::ContextAttention& op, Fields& f) {
  describe_attention(op, f);
  f("fmha", op.fmha_quant);
  f.flag("head_norms", op.use_qk_norm);
  f.unless("cp", op.cp_size, kOne);
  return "context_attention";
}

std::string_view describe(const aic::GenerationAttention& op, Fields& f) {
  describe_attention(op, f);
  return "generation_attention";
}

std::string_view describe(const aic::ContextMla& op, Fields& f) {
  f("heads", op.num_heads);
  f("kv", op.kv_quant);
  f("fmha", op.fmha_quant);
  f.unless("cp", op.cp_size, kOne);
  return "context_mla";
}

std::string_view describe(const aic::GenerationMla& op, Fields& f) {
  f("heads", op.num_heads);
  f("kv", op.kv_quant);
  return "generation_mla";
}

std::string_view describe(const aic::MlaBmm& op, Fields& f) {
  f("heads", op.num_heads);
  f("quant", op.quant);
  return op.is_pre ? "mla_bmm_pre" : "mla_bmm_post";
}

std::string_view describe(const aic::MlaModule& op, Fields& f) {
  f("heads", op.num_heads);
  f("native_heads", op.native_num_heads);
  f("kv", op.kv_quant);
  f("fmha", op.fmha_quant);
  f("quant", op.gemm_quant);
  return op.context ? "mla_context_module" : "mla_generation_module";
}

std::string_view describe(const aic::WideEpMla& op, Fields& f) {
  f("heads", op.num_heads);
  f("kv", op.kv_quant);
  f("fmha", op.fmha_quant);
  f("backend", op.attn_backend);
  return op.context ? "wide_ep_context_mla" : "wide_ep_generation_mla";
}

std::string_view describe(const aic::DsaModule& op, Fields& f) {
  f("heads", op.num_heads);
  f("kv", op.kv_quant);
  f("fmha", op.fmha_quant);
  f("quant", op.gemm_quant);
  f("q", op.projections.q);
  f("kv_proj", op.projections.kv);
  f("o", op.projections.o);
  f("indexer", op.projections.indexer);
  f("architecture", op.architecture);
  f.unless("cp", op.cp_size, kOne);
  f.unless("full_fraction", op.full_fraction, 1.0);
  return op.context ? "dsa_context_module" : "dsa_generation_module";
}

std::string_view describe(const aic::MsaModule& op, Fields& f) {
  f("heads", op.num_heads);
  f("kv_heads", op.num_kv_heads);
  f("hidden", op.hidden_size);
  f("head_dim", op.head_dim);
  f("index_topk", op.index_topk);
  f("kv", op.kv_quant);
  f("fmha", op.fmha_quant);
  f("quant", op.gemm_quant);
  return op.context ? "msa_context_module" : "msa_generation_module";
}

std::string_view describe(const aic::Dsv4Attention& op, Fields& f) {
  f("heads", op.num_heads);
  f("native_heads", op.native_heads);
  f("tp", op.tp_size);
  f("ratio", op.compress_ratio);
  f("hidden", op.hidden_size);
  f("q_lora", op.q_lora_rank);
  f("o_groups", op.o_groups);
  f("index_topk", op.index_topk);
  f("kv", op.kv_quant);
  f("fmha", op.fmha_quant);
  f("quant", op.gemm_quant);
  f.unless("cp", op.cp_size, kOne);
  return op.context ? "dsv4_context_module" : "dsv4_generation_module";
}

std::string_view describe(const aic::Mhc& op, Fields& f) {
  f("hidden", op.hidden_size);
  f("streams", op.hc_mult);
  f.unless("seq_split", op.seq_split, kOne);
  return op.part == aic::Mhc::Part::pre ? "mhc_pre" : op.part == aic::Mhc::Part::post ? "mhc_post" : "mhc";
}

template <class Experts>
void describe_experts(const Experts& op, Fields& f) {
  f("hidden", op.hidden_size);
  f("inter", op.inter_size);
  f("topk", op.topk);
  f("experts", op.num_experts);
}

std::string_view describe(const aic::Moe& op, Fields& f) {
  describe_experts(op, f);
  f("etp", op.moe_tp_size);
  f("ep", op.moe_ep_size);
  f("dp", op.attention_dp_size);
  f("quant", op.quant);
  f("load", op.workload_distribution);
  f.flag("generation", !op.context);
  f.flag("ungated", !op.is_gated);
  return "moe";
}

std::string_view describe(const aic::MoeDispatch& op, Fields& f) {
  f("hidden", op.hidden_size);
  f("topk", op.topk);
  f("experts", op.num_experts);
  f("etp", op.moe_tp_size);
  f("ep", op.moe_ep_size);
  f("dp", op.attention_dp_size);
  f.unless("cp", op.attn_cp_size, kOne);
  f("quant", op.quant);
  f.flag("generation", !op.context);
  f.flag("all_reduce_modeled", op.attn_ar_modeled);
  f.unless("token_divisor", op.scale_num_tokens, kOne);
  return op.pre_dispatch ? "moe_pre_dispatch" : "moe_post_dispatch";
}

std::string_view describe(const aic::MoeAllToAll& op, Fields& f) {
  f("phase", op.phase);
  f("library", op.comm_backend);
  f("dtype", op.comm_dtype);
  f("hidden", op.hidden_size);
  f("topk", op.topk);
  f("experts", op.num_experts);
  f("ep", op.moe_ep_size);
  f("nodes", op.node_num);
  f.unless("sms", op.sms, kZero);
  f.unless("token_divisor", op.attention_tp_size, kOne);
  return "moe_all_to_all";
}

std::string_view describe(const aic::ExpertCompute& op, Fields& f) {
  describe_experts(op, f);
  f("ep", op.moe_ep_size);
  f("dp", op.attention_dp_size);
  f("quant", op.quant);
  f("load", op.workload_distribution);
  return "expert_compute";
}

std::string_view describe(const aic::MegaMoe& op, Fields& f) {
  describe_experts(op, f);
  f("ep", op.moe_ep_size);
  f("quant", op.quant);
  return "megamoe";
}

std::string_view describe(const aic::CustomAllReduce& op, Fields& f) {
  f("hidden", op.hidden_size);
  f("gpus", op.tp_size);
  f.unless("seq_split", op.seq_split, kOne);
  return "all_reduce";
}

std::string_view describe(const aic::Nccl& op, Fields& f) {
  f("operation", op.operation);
  f("elements_per_token", op.elements_per_token);
  f("gpus", op.num_gpus);
  f("dtype", op.dtype);
  return "nccl";
}

std::string_view describe(const aic::P2p& op, Fields& f) {
  f("hidden", op.hidden_size);
  f("stages", op.pp_size);
  f.unless("seq_split", op.seq_split, kOne);
  return "p2p";
}

std::string_view describe(const aic::Embedding& op, Fields& f) {
  f("rows", op.vocab_size);
  f("hidden", op.hidden_size);
  f.unless("seq_split", op.seq_split, kOne);
  return "embedding";
}

std::string_view describe(const aic::ElementWise& op, Fields& f) {
  f("bytes_per_token", op.bytes_per_token);
  f.unless("token_divisor", op.scale_num_tokens, kOne);
  f.unless("seq_split", op.seq_split, kOne);
  return "elementwise";
}

std::string_view describe(const aic::Mamba2& op, Fields& f) {
  f("kernel", op.kernel_source);
  f("hidden", op.d_model);
  f("heads", op.nheads);
  f("head_dim", op.head_dim);
  f("state", op.d_state);
  f("conv", op.d_conv);
  f("groups", op.n_groups);
  f("chunk", op.chunk_size);
  return "mamba2";
}

template <class Delta>
void describe_delta(const Delta& op, Fields& f) {
  f("kernel", op.kernel_source);
  f("hidden", op.d_model);
  f("k_heads", op.num_k_heads);
  f("k_dim", op.head_k_dim);
  f("v_heads", op.num_v_heads);
  f("v_dim", op.head_v_dim);
  f("conv", op.d_conv);
}

std::string_view describe(const aic::Gdn& op, Fields& f) {
  describe_delta(op, f);
  f("state", op.state_dtype);
  return "gdn";
}

std::string_view describe(const aic::Kda& op, Fields& f) {
  describe_delta(op, f);
  f.unless("draft_tokens", op.draft_tokens, kZero);
  return "kda";
}

std::string_view describe(const aic::EncoderAttention& op, Fields& f) {
  f("heads", op.n);
  f("head_dim", op.head_size);
  f("fmha", op.fmha_quant);
  return "encoder_attention";
}

std::vector<OpText> texts_of(const std::vector<aic::Op>& ops) {
  std::vector<OpText> texts;
  for (const aic::Op& op : ops) texts.push_back(op_text(op));
  return texts;
}

}  // namespace

OpText op_text(const aic::Op& op) {
  OpText text;
  text.name = op.name();
  text.weight_bytes = weight_bytes(op);
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, aic::Overlap>) {
          text.kind = "overlap";
          text.first = texts_of(value.group_a);
          text.second = texts_of(value.group_b);
        } else if constexpr (std::is_same_v<Value, aic::Fallback>) {
          text.kind = "fallback";
          text.first = texts_of(value.primary);
          text.second = texts_of(value.fallback);
        } else {
          Fields fields(text);
          text.count = value.scale_factor;
          text.kind = describe(value, fields);
        }
      },
      op.value);
  return text;
}

}  // namespace perfatlas::estimate
