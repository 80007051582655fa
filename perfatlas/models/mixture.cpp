// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/error.h"
#include "perfatlas/models/attention_config.h"
#include "perfatlas/models/families.h"

namespace perfatlas {
namespace {

/// The skew of routing that the published step models assume for this family.
constexpr std::string_view kDistribution = "power_law_1.2";

ExpertSizes expert_sizes(const HfConfig& config) {
  ExpertSizes s;
  s.inter = config.positive_if("moe_intermediate_size").value_or(0);
  if (s.inter == 0) s.inter = config.positive("intermediate_size");
  s.topk = config.positive("num_experts_per_tok");
  const auto local = config.positive_if("num_local_experts");
  s.experts = local ? *local : config.positive("num_experts");
  s.shared_inter = config.positive_if("shared_expert_intermediate_size").value_or(0);
  return s;
}

class MixtureModel final : public Model {
 public:
  explicit MixtureModel(const ModelSource& source)
      : ops_(source.ops),
        types_(source.types),
        layers_(source.config.positive("num_hidden_layers")),
        hidden_(source.config.positive("hidden_size")),
        vocab_(source.config.positive("vocab_size")),
        full_(attention_sizes(source.config)),
        windowed_(full_),
        experts_(expert_sizes(source.config)) {
    has_experts = true;
    full_.head_norms = windowed_.head_norms =
        source.architecture == "Qwen3MoeForCausalLM" || source.architecture == "MiniMaxM2ForCausalLM";
    // gpt-oss alternates; the others window every layer or none.
    for (const std::string& kind : source.config.texts("layer_types"))
      windowed_layers_ += kind == "sliding_attention";
    if (source.config.has("layer_types")) full_.window = 0;
    if (windowed_layers_ > layers_)
      throw Error(source.config.origin() + ": layer_types lists more layers than num_hidden_layers");
  }

  std::string why_not(const Parallelism& ranks) const override {
    const std::string why = why_not_divided("attention heads", full_.heads, "tp", ranks.tp);
    return why.empty() ? why_not_experts(experts_, ranks) : why;
  }

  std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    builder.embedding(vocab_);
    builder.add_norm("add_norm_1", layers_);
    if (windowed_layers_ > 0) builder.attention(windowed_, windowed_layers_, "_window");
    if (windowed_layers_ < layers_) builder.attention(full_, layers_ - windowed_layers_);
    builder.add_norm("add_norm_2", layers_);
    builder.experts(experts_, kDistribution, layers_);
    builder.logits(vocab_);
    return builder.take();
  }

 private:
  const OpRegistry& ops_;
  ModelTypes types_;
  int64_t layers_, hidden_, vocab_;
  AttentionSizes full_, windowed_;
  int64_t windowed_layers_ = 0;
  ExpertSizes experts_;
};

}  // namespace

std::vector<std::string_view> mixture_architectures() {
  return {"MixtralForCausalLM", "GptOssForCausalLM", "Qwen2MoeForCausalLM", "Qwen3MoeForCausalLM",
          "MiniMaxM2ForCausalLM"};
}

std::unique_ptr<Model> make_mixture(const ModelSource& source) {
  return std::make_unique<MixtureModel>(source);
}

}  // namespace perfatlas
