// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/attention_config.h"
#include "perfatlas/models/families.h"

namespace perfatlas {
namespace {

class LlamaModel final : public Model {
 public:
  explicit LlamaModel(const ModelSource& source)
      : ops_(source.ops),
        types_(source.types),
        layers_(source.config.positive("num_hidden_layers")),
        hidden_(source.config.positive("hidden_size")),
        inter_(source.config.positive("intermediate_size")),
        vocab_(source.config.positive("vocab_size")),
        attention_(layered_attention(source.config, layers_)) {
    attention_.full.head_norms = attention_.windowed.head_norms = source.architecture.starts_with("Qwen3");
  }

  std::string why_not(const Parallelism& ranks) const override {
    return why_not_divided("attention heads", attention_.full.heads, "tp", ranks.tp);
  }

  std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const override {
    StepBuilder builder(ops_, shape, ranks, types_, hidden_);
    builder.embedding(vocab_);
    builder.add_norm("add_norm_1", layers_);
    add_attention(builder, attention_);
    builder.add_norm("add_norm_2", layers_);
    builder.dense_ffn(inter_, true, layers_);
    builder.logits(vocab_);
    return builder.take();
  }

 private:
  const OpRegistry& ops_;
  ModelTypes types_;
  int64_t layers_, hidden_, inter_, vocab_;
  LayeredAttention attention_;
};

}  // namespace

std::vector<std::string_view> llama_architectures() {
  return {"LlamaForCausalLM",
          "Qwen2ForCausalLM",
          "Qwen3ForCausalLM",
          "MiMoForCausalLM",
          "MistralForCausalLM",
          "Phi3ForCausalLM",
          "GraniteForCausalLM",
          "SeedOssForCausalLM",
          "Mistral3ForConditionalGeneration",
          "Qwen2_5_VLForConditionalGeneration",
          "Qwen3VLForConditionalGeneration"};
}

std::unique_ptr<Model> make_llama(const ModelSource& source) { return std::make_unique<LlamaModel>(source); }

}  // namespace perfatlas
