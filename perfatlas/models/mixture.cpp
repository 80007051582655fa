// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/models/attention_config.h"
#include "perfatlas/models/families.h"

namespace perfatlas {
namespace {

/// The skew of routing that the published step models assume for this family.
constexpr std::string_view kDistribution = "power_law_1.2";

ExpertSizes expert_sizes(const HfConfig& config) {
  ExpertSizes s{.experts = 0};
  s.inter = config.integer_or("moe_intermediate_size", 0);
  if (s.inter == 0) s.inter = config.positive("intermediate_size");
  s.topk = config.positive("num_experts_per_tok");
  for (const char* key : {"num_local_experts", "n_routed_experts"})
    if (s.experts == 0) s.experts = config.integer_or(key, 0);
  if (s.experts == 0) s.experts = config.positive("num_experts");
  s.shared_inter = config.integer_or("shared_expert_intermediate_size", 0) +
                   config.integer_or("n_shared_experts", 0) * s.inter;
  check_experts(config, s);
  return s;
}

/// Layers with a dense feed-forward network: the first ones, those that Qwen lists, and those that its step passes
/// over.
int64_t dense_layers(const HfConfig& config, int64_t layers) {
  std::set<int64_t> dense;
  for (int64_t i = 0; i < std::min(layers, config.integer_or("first_k_dense_replace", 0)); ++i)
    dense.insert(i);
  const int64_t step = config.positive_if("decoder_sparse_step").value_or(1);
  for (int64_t i = 0; i < layers; ++i)
    if ((i + 1) % step != 0) dense.insert(i);
  for (const int64_t i : config.integers("mlp_only_layers")) {
    if (i < 0 || i >= layers)
      throw Error(fmt::format("{}: mlp_only_layers names layer {} of {}", config.origin(), i, layers));
    dense.insert(i);
  }
  return int64_t(dense.size());
}

class MixtureModel final : public Model {
 public:
  explicit MixtureModel(const ModelSource& source)
      : ops_(source.ops),
        types_(source.types),
        layers_(source.config.positive("num_hidden_layers")),
        dense_layers_(dense_layers(source.config, layers_)),
        hidden_(source.config.positive("hidden_size")),
        vocab_(source.config.positive("vocab_size")),
        attention_(layered_attention(source.config, layers_)),
        experts_(expert_sizes(source.config)) {
    has_experts = true;
    if (dense_layers_ > 0) dense_inter_ = source.config.positive("intermediate_size");
    attention_.full.head_norms = attention_.windowed.head_norms =
        source.architecture.starts_with("Qwen3") || source.config.flag("use_qk_norm");
  }

  std::string why_not(const Parallelism& ranks) const override {
    const std::string why = why_not_divided("attention heads", attention_.full.heads, "tp", ranks.tp);
    return why.empty() ? why_not_experts(experts_, ranks) : why;
  }

  std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    builder.embedding(vocab_);
    builder.add_norm("add_norm_1", layers_);
    add_attention(builder, attention_);
    builder.add_norm("add_norm_2", layers_);
    if (dense_layers_ > 0) builder.dense_ffn(dense_inter_, true, dense_layers_);
    if (dense_layers_ < layers_) builder.experts(experts_, kDistribution, layers_ - dense_layers_);
    builder.logits(vocab_);
    return builder.take();
  }

 private:
  const OpRegistry& ops_;
  ModelTypes types_;
  int64_t layers_, dense_layers_, hidden_, vocab_;
  int64_t dense_inter_ = 0;
  LayeredAttention attention_;
  ExpertSizes experts_;
};

}  // namespace

std::vector<std::string_view> mixture_architectures() {
  return {"MixtralForCausalLM",   "GptOssForCausalLM",
          "Qwen2MoeForCausalLM",  "Qwen3MoeForCausalLM",
          "MiniMaxM2ForCausalLM", "GraniteMoeForCausalLM",
          "Glm4MoeForCausalLM",   "Qwen3VLMoeForConditionalGeneration"};
}

std::unique_ptr<Model> make_mixture(const ModelSource& source) {
  return std::make_unique<MixtureModel>(source);
}

}  // namespace perfatlas
