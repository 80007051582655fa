// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/models/attention_config.h"
#include "perfatlas/models/families.h"
#include "perfatlas/ops/mla/mla.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {
namespace {

/// The skew of routing that the published step models assume for this family.
constexpr std::string_view kDistribution = "power_law_1.01";

/// Widths of multi-head latent attention; without a q_rank queries come straight from the hidden state.
struct LatentSizes {
  int64_t heads, q_rank, kv_rank, nope, rope, v;
  int64_t query() const { return nope + rope; }
};

LatentSizes latent_sizes(const HfConfig& config) {
  const LatentSizes s{config.positive("num_attention_heads"), config.integer_or("q_lora_rank", 0),
                      config.positive("kv_lora_rank"),        config.positive("qk_nope_head_dim"),
                      config.positive("qk_rope_head_dim"),    config.positive("v_head_dim")};
  if (s.kv_rank != kMlaLatent || s.nope != kMlaNope || s.rope != kMlaRope || s.v != kMlaValue)
    throw Error(fmt::format(
        "{}: latent attention of kv_lora_rank {}, qk_nope_head_dim {}, qk_rope_head_dim {} and "
        "v_head_dim {} has no op; known: {}, {}, {} and {}",
        config.origin(), s.kv_rank, s.nope, s.rope, s.v, kMlaLatent, kMlaNope, kMlaRope, kMlaValue));
  return s;
}

/// Layers with routed experts: from first_k_dense_replace on, every moe_layer_freq-th.
int64_t expert_layers(const HfConfig& config, int64_t layers) {
  const int64_t first = config.integer_or("first_k_dense_replace", 0);
  const int64_t every = config.positive_if("moe_layer_freq").value_or(1);
  int64_t count = 0;
  for (int64_t i = first; i < layers; ++i) count += i % every == 0;
  return count;
}

class DeepSeekModel final : public Model {
 public:
  explicit DeepSeekModel(const ModelSource& source)
      : ops_(source.ops),
        types_(source.types),
        layers_(source.config.positive("num_hidden_layers")),
        dense_layers_(layers_ - expert_layers(source.config, layers_)),
        hidden_(source.config.positive("hidden_size")),
        dense_inter_(source.config.positive("intermediate_size")),
        vocab_(source.config.positive("vocab_size")) {
    const HfConfig& config = source.config;
    has_experts = true;
    latent_ = latent_sizes(config);
    experts_.inter = config.positive("moe_intermediate_size");
    experts_.topk = config.positive("num_experts_per_tok");
    experts_.experts = config.positive("n_routed_experts");
    experts_.shared_inter = experts_.inter * config.integer_or("n_shared_experts", 0);
    check_experts(config, experts_);
  }

  std::string why_not(const Parallelism& ranks) const override {
    const std::string why = why_not_divided("attention heads", latent_.heads, "tp", ranks.tp);
    return why.empty() ? why_not_experts(experts_, ranks) : why;
  }

  std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    builder.embedding(vocab_);
    builder.add_norm("add_norm_1", layers_);
    latent_attention(builder);
    builder.add_norm("add_norm_2", layers_);
    if (dense_layers_ > 0) builder.dense_ffn(dense_inter_, true, dense_layers_);
    if (dense_layers_ < layers_) builder.experts(experts_, kDistribution, layers_ - dense_layers_);
    builder.logits(vocab_);
    return builder.take();
  }

  std::vector<OpUse> blocks(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    if (!is_known_block()) return {};
    if (builder.context()) {
      MlaContextModule op;
      fill(op, builder);
      op.isl = shape.isl;
      builder.add("mla_module", op, layers_);
    } else {
      MlaGenerationModule op;
      fill(op, builder);
      builder.add("mla_module", op, layers_);
    }
    return builder.take();
  }

 private:
  /// Tables of whole blocks are keyed by the architecture, whose widths are then taken as known.
  bool is_known_block() const {
    const MlaGeometry* const known = find_mla_geometry(Symbol(architecture));
    return known != nullptr && !known->sparse() && known->hidden == hidden_ &&
           known->q_lora == latent_.q_rank && known->kv_lora == latent_.kv_rank &&
           known->nope == latent_.nope && known->rope == latent_.rope && known->v == latent_.v;
  }

  template <class Module>
  void fill(Module& op, const StepBuilder& builder) const {
    op.model = Symbol(name);
    op.architecture = Symbol(architecture);
    op.dtype = types_.activation;
    op.kv_dtype = types_.kv;
    op.gemm = types_.projection;
    op.heads = latent_.heads / builder.ranks().tp;
    op.batch = builder.shape().batch;
    op.step = builder.shape().cached;
  }

  /// Down-projection of queries and latent together, norms, up-projections, rotary embedding, attention, output.
  /// In generation keys and values stay latent: the up-projections are absorbed into the queries and the result.
  void latent_attention(StepBuilder& builder) const {
    const LatentSizes& s = latent_;
    const int64_t heads = s.heads / builder.ranks().tp, count = layers_;
    if (s.q_rank > 0) {
      builder.projection("qkv_a_gemm", s.q_rank + s.kv_rank + s.rope, hidden_, count);
      builder.norm("q_a_norm", 1, s.q_rank, count);
      builder.norm("kv_a_norm", 1, s.kv_rank, count);
      builder.projection("q_b_gemm", heads * s.query(), s.q_rank, count);
    } else {
      builder.projection("kv_a_gemm", s.kv_rank + s.rope, hidden_, count);
      builder.norm("kv_a_norm", 1, s.kv_rank, count);
      builder.projection("q_gemm", heads * s.query(), hidden_, count);
    }
    builder.add("rope",
                Rope{.dtype = types_.activation,
                     .tokens = builder.tokens(),
                     .heads = heads,
                     .head_dim = s.query(),
                     .rotary_dim = s.rope,
                     .rotary_offset = s.nope},
                count);
    if (builder.context()) {
      builder.projection("kv_b_gemm", heads * (s.nope + s.v), s.kv_rank, count);
      builder.add("attention", attention<MlaContext>(builder, heads), count);
    } else {
      MlaBmm bmm{.direction = MlaBmmDirection::pre,
                 .dtype = types_.projection == Quant::f32 ? Quant::f32 : Quant::bf16,
                 .tokens = builder.tokens(),
                 .heads = heads};
      builder.add("mla_bmm_pre", bmm, count);
      builder.add("attention", attention<MlaGeneration>(builder, heads), count);
      bmm.direction = MlaBmmDirection::post;
      builder.add("mla_bmm_post", bmm, count);
    }
    builder.output("proj_gemm", hidden_, heads * s.v, count);
    builder.all_reduce("attention_all_reduce", count);
  }

  template <class Op>
  Op attention(const StepBuilder& builder, int64_t heads) const {
    Op op;
    op.dtype = types_.activation;
    op.kv_dtype = types_.kv;
    op.heads = heads;
    op.batch = builder.shape().batch;
    op.isl = builder.shape().isl;
    op.tp = builder.ranks().tp;
    op.step = builder.shape().cached;
    return op;
  }

  const OpRegistry& ops_;
  ModelTypes types_;
  int64_t layers_, dense_layers_, hidden_, dense_inter_, vocab_;
  LatentSizes latent_{};
  ExpertSizes experts_;
};

}  // namespace

std::vector<std::string_view> deepseek_architectures() {
  return {"DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM", "KimiK2ForCausalLM", "DeepSeekForCausalLM",
          "KimiK25ForConditionalGeneration"};
}

std::unique_ptr<Model> make_deepseek(const ModelSource& source) {
  return std::make_unique<DeepSeekModel>(source);
}

}  // namespace perfatlas
