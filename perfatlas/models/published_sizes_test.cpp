// SPDX-License-Identifier: Apache-2.0
// Configurations of published models, of which only the sizes are kept here, against the numbers of parameters that
// their authors state: the weights of a step's ops are the model's weights, so that a wrong head size, a forgotten
// expert, a layer too many or a projection too few shows as a wrong sum.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/models/model.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/schema/operand.h"

namespace perfatlas {
namespace {

/// The sizes that every configuration has, and what else it writes.
struct Published {
  const char* name;
  const char* architecture;
  int64_t layers, hidden, heads, kv_heads, inter, vocab;
  const char*
      more;  // further keys; "\"tie_word_embeddings\": true" where input and output share their weights
  double billions;  // of the language model, without layers that only draft tokens
};

constexpr const char* kTied = R"(, "tie_word_embeddings": true)";
constexpr const char* kDeepSeek =
    R"(, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_layer_freq": 1)";

// Numbers of parameters: the safetensors index of each model on Hugging Face, or the model's own report.
const Published kDense[] = {
    {"Llama-2-7B", "LlamaForCausalLM", 32, 4096, 32, 32, 11008, 32000, "", 6.738},
    {"Llama-2-70B", "LlamaForCausalLM", 80, 8192, 64, 8, 28672, 32000, "", 68.977},
    {"TinyLlama-1.1B", "LlamaForCausalLM", 22, 2048, 32, 4, 5632, 32000, "", 1.1},
    {"Llama-3.2-1B", "LlamaForCausalLM", 16, 2048, 32, 8, 8192, 128256, kTied, 1.236},
    {"Llama-3.1-405B", "LlamaForCausalLM", 126, 16384, 128, 8, 53248, 128256, "", 405.853},
    {"Mistral-7B-v0.1", "MistralForCausalLM", 32, 4096, 32, 8, 14336, 32000, R"(, "sliding_window": 4096)",
     7.242},
    {"Mistral-Nemo-12B", "MistralForCausalLM", 40, 5120, 32, 8, 14336, 131072, R"(, "head_dim": 128)",
     12.248},
    {"Mistral-Small-24B", "MistralForCausalLM", 40, 5120, 32, 8, 32768, 131072, R"(, "head_dim": 128)",
     23.572},
    {"Qwen2.5-0.5B", "Qwen2ForCausalLM", 24, 896, 14, 2, 4864, 151936, kTied, 0.494},
    {"Qwen2.5-72B", "Qwen2ForCausalLM", 80, 8192, 64, 8, 29568, 152064, "", 72.706},
    {"Qwen3-8B", "Qwen3ForCausalLM", 36, 4096, 32, 8, 12288, 151936, R"(, "head_dim": 128)", 8.191},
    {"Phi-3-mini", "Phi3ForCausalLM", 32, 3072, 32, 32, 8192, 32064, R"(, "sliding_window": 2047)", 3.821},
    {"Phi-4", "Phi3ForCausalLM", 40, 5120, 40, 10, 17920, 100352, R"(, "sliding_window": null)", 14.66},
    {"Phi-4-mini", "Phi3ForCausalLM", 32, 3072, 24, 8, 8192, 200064,
     R"(, "partial_rotary_factor": 0.75, "sliding_window": 262144, "tie_word_embeddings": true)", 3.836},
    {"Granite-3.1-8B", "GraniteForCausalLM", 40, 4096, 32, 8, 12800, 49155, kTied, 8.171},
    {"Seed-OSS-36B", "SeedOssForCausalLM", 64, 5120, 80, 8, 27648, 155136, R"(, "head_dim": 128)", 36.151},
};

const Published kExperts[] = {
    {"Mixtral-8x22B", "MixtralForCausalLM", 56, 6144, 48, 8, 16384, 32768,
     R"(, "num_local_experts": 8, "num_experts_per_tok": 2)", 140.63},
    {"Qwen1.5-MoE-A2.7B", "Qwen2MoeForCausalLM", 24, 2048, 16, 16, 5632, 151936,
     R"(, "num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408, "decoder_sparse_step": 1,
         "shared_expert_intermediate_size": 5632)",
     14.316},
    {"Qwen2-57B-A14B", "Qwen2MoeForCausalLM", 28, 3584, 28, 4, 18944, 151936,
     R"(, "num_experts": 64, "num_experts_per_tok": 8, "moe_intermediate_size": 2560,
         "shared_expert_intermediate_size": 20480)",
     57.409},
    {"Qwen3-30B-A3B", "Qwen3MoeForCausalLM", 48, 2048, 32, 4, 6144, 151936,
     R"(, "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768, "head_dim": 128,
         "mlp_only_layers": [], "shared_expert_intermediate_size": 0)",
     30.532},
    {"GLM-4.5-Air", "Glm4MoeForCausalLM", 46, 4096, 96, 8, 10944, 151552,
     R"(, "n_routed_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 1408, "n_shared_experts": 1,
         "first_k_dense_replace": 1, "head_dim": 128, "partial_rotary_factor": 0.5, "use_qk_norm": false)",
     106.85},
    {"gpt-oss-120b", "GptOssForCausalLM", 36, 2880, 64, 8, 2880, 201088,
     R"(, "num_local_experts": 128, "num_experts_per_tok": 4, "head_dim": 64, "sliding_window": 128)",
     116.83},
    {"Granite-3.0-1B-A400M", "GraniteMoeForCausalLM", 24, 1024, 16, 8, 512, 49155,
     R"(, "num_local_experts": 32, "num_experts_per_tok": 8, "tie_word_embeddings": true)", 1.335},
    {"DeepSeek-V2-Lite", "DeepseekV2ForCausalLM", 27, 2048, 16, 16, 10944, 102400,
     R"(, "q_lora_rank": null, "n_routed_experts": 64, "num_experts_per_tok": 6, "moe_intermediate_size": 1408,
         "n_shared_experts": 2, "first_k_dense_replace": 1)",
     15.706},
    {"DeepSeek-V2", "DeepseekV2ForCausalLM", 60, 5120, 128, 128, 12288, 102400,
     R"(, "q_lora_rank": 1536, "n_routed_experts": 160, "num_experts_per_tok": 6, "moe_intermediate_size": 1536,
         "n_shared_experts": 2, "first_k_dense_replace": 1)",
     235.741},
    {"Kimi-K2", "DeepseekV3ForCausalLM", 61, 7168, 64, 64, 18432, 163840,
     R"(, "q_lora_rank": 1536, "n_routed_experts": 384, "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
         "n_shared_experts": 1, "first_k_dense_replace": 1)",
     1026.4},
    {"Moonlight-16B-A3B", "DeepseekV3ForCausalLM", 27, 2048, 16, 16, 11264, 163840,
     R"(, "q_lora_rank": null, "n_routed_experts": 64, "num_experts_per_tok": 6, "moe_intermediate_size": 1408,
         "n_shared_experts": 2, "first_k_dense_replace": 1)",
     15.96},
    {"Qwen3-Next-80B-A3B", "Qwen3NextForCausalLM", 48, 2048, 16, 2, 5120, 151936,
     R"(, "num_experts": 512, "num_experts_per_tok": 10, "moe_intermediate_size": 512, "head_dim": 256,
         "shared_expert_intermediate_size": 512, "full_attention_interval": 4, "linear_num_key_heads": 16,
         "linear_key_head_dim": 128, "linear_num_value_heads": 32, "linear_value_head_dim": 128,
         "linear_conv_kernel_dim": 4, "partial_rotary_factor": 0.25)",
     79.67},
};

std::string config_of(const Published& p) {
  std::string text = fmt::format(
      R"({{"architectures": ["{}"], "num_hidden_layers": {}, "hidden_size": {}, "num_attention_heads": {},
          "num_key_value_heads": {}, "intermediate_size": {}, "vocab_size": {}, "torch_dtype": "bfloat16"{}{}}})",
      p.architecture, p.layers, p.hidden, p.heads, p.kv_heads, p.inter, p.vocab, p.more,
      std::string_view(p.architecture).starts_with("Deepseek") ? kDeepSeek : "");
  return text;
}

class PublishedSizes : public testing::TestWithParam<Published> {
 protected:
  /// Elements of all weights of a prefill step on one rank.
  double parameters(const Published& p) const {
    const auto model = make_model(checkpoint_of(p.name, HfConfig::parse(config_of(p), p.name)), ops_);
    double count = 0;
    for (const OpUse& use : model->step({.phase = Phase::context, .batch = 1, .isl = 8}, {}))
      for (const Operand& operand : use.c.op->operands(use.c.values))
        if (operand.role == OperandRole::weight) count += double(operand.elements()) * double(use.count);
    const bool tied = std::string_view(p.more).find("tie_word_embeddings") != std::string_view::npos;
    return tied ? count - double(p.vocab) * double(p.hidden) : count;
  }
  OpRegistry ops_ = all_ops();
};

TEST_P(PublishedSizes, WeightsOfAStepAreTheModelsParameters) {
  // Biases, gates of one output and norms of heads are in no op: less than one in 250 everywhere here.
  EXPECT_NEAR(parameters(GetParam()) / 1e9 / GetParam().billions, 1, 0.004);
}

std::string test_name(const testing::TestParamInfo<Published>& info) {
  std::string name = info.param.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Dense, PublishedSizes, testing::ValuesIn(kDense), test_name);
INSTANTIATE_TEST_SUITE_P(Experts, PublishedSizes, testing::ValuesIn(kExperts), test_name);

}  // namespace
}  // namespace perfatlas
