// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/models/attention_config.h"
#include "perfatlas/models/families.h"
#include "perfatlas/ops/activation/activation.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {
namespace {

constexpr std::string_view kDistribution = "power_law_1.2";

/// Mamba2 mixer of the whole model.
struct MixerSizes {
  int64_t heads, head_dim, groups, state, conv, chunk;
  int64_t inner() const { return heads * head_dim; }
};

/// Layers per letter of hybrid_override_pattern.
struct LayerCounts {
  int64_t mamba = 0, attention = 0, dense = 0, experts = 0;
  int64_t all() const { return mamba + attention + dense + experts; }
};

/// The layers as letters: hybrid_override_pattern, else the words of layers_block_type.
std::string layer_letters(const HfConfig& config) {
  std::string letters = config.text_if("hybrid_override_pattern").value_or("");
  if (!letters.empty()) return letters;
  constexpr std::pair<std::string_view, char> kWords[] = {
      {"mamba", 'M'}, {"attention", '*'}, {"mlp", '-'}, {"moe", 'E'}};
  for (const std::string& word : config.texts("layers_block_type")) {
    const auto* const known = std::find_if(std::begin(kWords), std::end(kWords),
                                           [&](const auto& entry) { return entry.first == word; });
    if (known == std::end(kWords))
      throw Error(
          fmt::format("{}: layers_block_type has an entry '{}', expected mamba, attention, mlp or moe",
                      config.origin(), clipped(word)));
    letters += known->second;
  }
  return letters;
}

LayerCounts count_layers(const HfConfig& config) {
  const std::string pattern = layer_letters(config);
  LayerCounts counts{
      std::count(pattern.begin(), pattern.end(), 'M'), std::count(pattern.begin(), pattern.end(), '*'),
      std::count(pattern.begin(), pattern.end(), '-'), std::count(pattern.begin(), pattern.end(), 'E')};
  if (pattern.empty() || counts.all() != int64_t(pattern.size()))
    throw Error(
        fmt::format("{}: hybrid_override_pattern is '{}', expected letters M (Mamba2), * (attention), - "
                    "(dense) and E (experts), or a list layers_block_type",
                    config.origin(), clipped(pattern)));
  return counts;
}

class NemotronHModel final : public Model {
 public:
  explicit NemotronHModel(const ModelSource& source)
      : ops_(source.ops),
        types_(source.types),
        layers_(count_layers(source.config)),
        hidden_(source.config.positive("hidden_size")),
        vocab_(source.config.positive("vocab_size")),
        attention_(attention_sizes(source.config)) {
    const HfConfig& config = source.config;
    attention_.rotary_dim = 0;  // attention layers of this family carry no position embedding
    mixer_ = {config.positive("mamba_num_heads"), config.positive("mamba_head_dim"),
              config.positive("n_groups"),        config.positive("ssm_state_size"),
              config.positive("conv_kernel"),     config.positive("chunk_size")};
    if (layers_.dense > 0) dense_inter_ = config.positive("intermediate_size");
    has_experts = layers_.experts > 0;
    if (!has_experts) return;
    experts_ = {.inter = config.positive("moe_intermediate_size"),
                .topk = config.positive("num_experts_per_tok"),
                .experts = config.positive("n_routed_experts"),
                .shared_inter = config.integer_or("moe_shared_expert_intermediate_size", 0),
                .gated = false,
                .hidden = config.integer_or("moe_latent_size", 0)};
    check_experts(config, experts_);
  }

  std::string why_not(const Parallelism& ranks) const override {
    for (const auto& [what, total] :
         {std::pair{"attention heads", attention_.heads}, std::pair{"Mamba2 heads", mixer_.heads}})
      if (std::string why = why_not_divided(what, total, "tp", ranks.tp); !why.empty()) return why;
    return has_experts ? why_not_experts(experts_, ranks) : std::string();
  }

  std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    builder.embedding(vocab_);
    builder.add_norm("add_norm", layers_.all());
    if (layers_.mamba > 0) mixer(builder);
    if (layers_.attention > 0) builder.attention(attention_, layers_.attention);
    if (layers_.dense > 0) builder.dense_ffn(dense_inter_, false, layers_.dense);
    if (layers_.experts > 0) builder.experts(experts_, kDistribution, layers_.experts);
    builder.logits(vocab_);
    return builder.take();
  }

 private:
  /// Input projection to gate, channels, B, C and time steps; convolution; scan or state update; gated norm; output.
  void mixer(StepBuilder& builder) const {
    const int64_t tp = builder.ranks().tp, count = layers_.mamba;
    const int64_t heads = mixer_.heads / tp, inner = mixer_.inner() / tp;
    const int64_t groups = std::max<int64_t>(1, mixer_.groups / tp);
    builder.projection("mamba_in_gemm", 2 * inner + 2 * groups * mixer_.state + heads, hidden_, count);
    Mamba2 op{.phase = builder.context() ? LinearPhase::context : LinearPhase::generation,
              .batch = builder.shape().batch,
              .seq = builder.shape().isl,
              .tokens = builder.tokens(),
              .d_model = hidden_,
              .d_state = mixer_.state,
              .d_conv = mixer_.conv,
              .heads = heads,
              .head_dim = mixer_.head_dim,
              .groups = groups,
              .chunk = mixer_.chunk};
    op.kernel = Symbol(builder.context() ? "causal_conv1d_fn" : "causal_conv1d_update");
    builder.add("mamba_conv", op, count);
    op.kernel = Symbol(builder.context() ? "mamba_chunk_scan_combined" : "selective_state_update");
    builder.add("mamba_scan", op, count);
    builder.add("mamba_gate",
                Activation{.kind = ActivationKind::silu_mul,
                           .dtype = builder.types().activation,
                           .tokens = builder.tokens(),
                           .inter = inner},
                count);
    builder.norm("mamba_norm", groups, inner / groups, count);
    builder.output("mamba_out_gemm", hidden_, inner, count);
    builder.all_reduce("mamba_all_reduce", count);
  }

  const OpRegistry& ops_;
  ModelTypes types_;
  LayerCounts layers_;
  int64_t hidden_, vocab_;
  AttentionSizes attention_;
  MixerSizes mixer_{};
  int64_t dense_inter_ = 0;
  ExpertSizes experts_;
};

}  // namespace

std::vector<std::string_view> nemotron_h_architectures() { return {"NemotronHForCausalLM"}; }

std::unique_ptr<Model> make_nemotron_h(const ModelSource& source) {
  return std::make_unique<NemotronHModel>(source);
}

}  // namespace perfatlas
