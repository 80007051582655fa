// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/models/attention_config.h"
#include "perfatlas/models/families.h"
#include "perfatlas/ops/activation/activation.h"
#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {
namespace {

constexpr std::string_view kDistribution = "power_law_1.2";

/// Gated delta net of the whole model.
struct DeltaNetSizes {
  int64_t k_heads, k_dim, v_heads, v_dim, conv;
};

DeltaNetSizes delta_net_sizes(const HfConfig& config) {
  return {config.positive("linear_num_key_heads"), config.positive("linear_key_head_dim"),
          config.positive("linear_num_value_heads"), config.positive("linear_value_head_dim"),
          config.positive("linear_conv_kernel_dim")};
}

/// Layers with attention over all tokens: those that layer_types says, else every full_attention_interval-th.
int64_t full_layers(const HfConfig& config, int64_t layers) {
  const std::vector<std::string> kinds = config.texts("layer_types");
  if (kinds.empty()) return layers / config.positive("full_attention_interval");
  if (int64_t(kinds.size()) != layers)
    throw Error(config.origin() + ": layer_types must name each of the num_hidden_layers layers");
  const int64_t full = std::count(kinds.begin(), kinds.end(), "full_attention");
  if (full + std::count(kinds.begin(), kinds.end(), "linear_attention") != layers)
    throw Error(config.origin() +
                ": layer_types has entries that are neither full_attention nor linear_attention");
  return full;
}

class Qwen35Model final : public Model {
 public:
  explicit Qwen35Model(const ModelSource& source)
      : ops_(source.ops),
        types_(source.types),
        layers_(source.config.positive("num_hidden_layers")),
        hidden_(source.config.positive("hidden_size")),
        vocab_(source.config.positive("vocab_size")),
        attention_(attention_sizes(source.config)),
        net_(delta_net_sizes(source.config)) {
    const HfConfig& config = source.config;
    attention_.head_norms = true;
    // Qwen3-Next has the gate without a key for it.
    attention_.output_gate = config.flag("attn_output_gate") || source.architecture.starts_with("Qwen3Next");
    full_layers_ = full_layers(config, layers_);
    has_experts = config.integer_or("num_experts", 0) > 0;
    if (has_experts) {
      experts_.inter = config.positive("moe_intermediate_size");
      experts_.topk = config.positive("num_experts_per_tok");
      experts_.experts = config.positive("num_experts");
      experts_.shared_inter = config.integer_or("shared_expert_intermediate_size", 0);
      check_experts(config, experts_);
    } else {
      dense_inter_ = config.positive("intermediate_size");
    }
  }

  std::string why_not(const Parallelism& ranks) const override {
    for (const auto& [what, total] : {std::pair{"attention heads", attention_.heads},
                                      std::pair{"linear attention key heads", net_.k_heads},
                                      std::pair{"linear attention value heads", net_.v_heads}})
      if (std::string why = why_not_divided(what, total, "tp", ranks.tp); !why.empty()) return why;
    return has_experts ? why_not_experts(experts_, ranks) : std::string();
  }

  std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    builder.embedding(vocab_);
    builder.add_norm("add_norm_1", layers_);
    if (full_layers_ < layers_) delta_net(builder);
    if (full_layers_ > 0) builder.attention(attention_, full_layers_);
    builder.add_norm("add_norm_2", layers_);
    if (has_experts)
      builder.experts(experts_, kDistribution, layers_);
    else
      builder.dense_ffn(dense_inter_, true, layers_);
    builder.logits(vocab_);
    return builder.take();
  }

 private:
  /// Projections of queries, keys, values and the output gate, of the two gates per value head; convolution; delta
  /// rule; gated norm; output projection.
  void delta_net(StepBuilder& builder) const {
    const int64_t count = layers_ - full_layers_, tp = builder.ranks().tp;
    const int64_t k_heads = net_.k_heads / tp, v_heads = net_.v_heads / tp;
    const int64_t values = v_heads * net_.v_dim;
    builder.projection("gdn_in_gemm", 2 * k_heads * net_.k_dim + 2 * values, hidden_, count);
    builder.linear("gdn_gates_gemm", 2 * v_heads, hidden_, count, builder.types().logits);
    Gdn op{.phase = builder.context() ? LinearPhase::context : LinearPhase::generation,
           .batch = builder.shape().batch,
           .seq = builder.shape().isl,
           .tokens = builder.tokens(),
           .d_model = hidden_,
           .d_conv = net_.conv,
           .k_heads = k_heads,
           .k_dim = net_.k_dim,
           .v_heads = v_heads,
           .v_dim = net_.v_dim};
    op.kernel = Symbol(builder.context() ? "causal_conv1d_fn" : "causal_conv1d_update");
    builder.add("gdn_conv", op, count);
    op.kernel = Symbol(builder.context() ? "chunk_gated_delta_rule" : "fused_recurrent_gated_delta_rule");
    builder.add("gdn_rule", op, count);
    builder.norm("gdn_norm", v_heads, net_.v_dim, count);
    builder.add("gdn_gate",
                Activation{.kind = ActivationKind::silu_mul,
                           .dtype = builder.types().activation,
                           .tokens = builder.tokens(),
                           .inter = values},
                count);
    builder.output("gdn_out_gemm", hidden_, values, count);
    builder.all_reduce("gdn_all_reduce", count);
  }

  const OpRegistry& ops_;
  ModelTypes types_;
  int64_t layers_, hidden_, vocab_;
  AttentionSizes attention_;
  DeltaNetSizes net_;
  int64_t full_layers_ = 0, dense_inter_ = 0;
  ExpertSizes experts_;
};

}  // namespace

std::vector<std::string_view> qwen3_5_architectures() {
  return {"Qwen3_5ForConditionalGeneration", "Qwen3_5MoeForConditionalGeneration", "Qwen3_5ForCausalLM",
          "Qwen3_5MoeForCausalLM", "Qwen3NextForCausalLM"};
}

std::unique_ptr<Model> make_qwen3_5(const ModelSource& source) {
  return std::make_unique<Qwen35Model>(source);
}

}  // namespace perfatlas
