// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/served_model.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/models/quantisation_config.h"

namespace perfatlas::estimate {
namespace {

struct Architecture {
  std::string_view name;
  std::unique_ptr<ServedModel> (*make)(const Checkpoint&);
};

constexpr Architecture kArchitectures[] = {
    {"LlamaForCausalLM", &make_llama},
    {"Qwen2ForCausalLM", &make_llama},
    {"Qwen3ForCausalLM", &make_llama},
    {"MiMoForCausalLM", &make_llama},
    {"Qwen3VLForConditionalGeneration", &make_llama},
    {"MixtralForCausalLM", &make_mixture},
    {"GptOssForCausalLM", &make_mixture},
    {"Qwen2MoeForCausalLM", &make_mixture},
    {"Qwen3MoeForCausalLM", &make_mixture},
    {"MiniMaxM2ForCausalLM", &make_mixture},
    {"Qwen3VLMoeForConditionalGeneration", &make_mixture},
    {"DeepSeekForCausalLM", &make_deepseek},
    {"DeepseekV3ForCausalLM", &make_deepseek},
    {"KimiK25ForConditionalGeneration", &make_deepseek},
    {"DeepseekV32ForCausalLM", &make_deepseek_v32},
    {"GlmMoeDsaForCausalLM", &make_deepseek_v32},
    {"DeepseekV4ForCausalLM", &make_deepseek_v4},
    {"KimiK3ForConditionalGeneration", &make_kimi_k3},
    {"MiMoV2FlashForCausalLM", &make_hybrid_moe},
    {"Llama4ForConditionalGeneration", &make_hybrid_moe},
    {"Step3p5ForCausalLM", &make_step3},
    {"Step3p5FlashForCausalLM", &make_step3},
    {"Step3p7FlashForCausalLM", &make_step3},
    {"Step3p7ForConditionalGeneration", &make_step3},
    {"Gemma4ForConditionalGeneration", &make_gemma4},
    {"NemotronHForCausalLM", &make_nemotron_h},
    {"DeciLMForCausalLM", &make_nemotron_nas},
    {"NemotronForCausalLM", &make_nemotron_nas},
    {"Qwen3_5ForConditionalGeneration", &make_qwen35},
    {"Qwen3_5MoeForConditionalGeneration", &make_qwen35},
    {"MiniMaxM3ForCausalLM", &make_minimax_m3},
    {"MiniMaxM3SparseForConditionalGeneration", &make_minimax_m3},
};

/// Rows of a block of fp8 weights that share a scale; a rank must hold whole blocks.
int64_t weight_block_rows(const Checkpoint& checkpoint) {
  const nlohmann::json config = quantization_config(checkpoint);
  const auto at = config.find("weight_block_size");
  if (at == config.end() || !at->is_array() || at->empty() || !(*at)[0].is_number_integer()) return 128;
  return (*at)[0].get<int64_t>();
}

bool checks_weight_blocks(Family family) {
  return family == Family::moe || family == Family::qwen3_vl_moe || family == Family::hybrid_moe ||
         family == Family::step3;
}

std::string why_not_experts(const ServedModel& model, const Deployment& deployment) {
  const Parallel& p = deployment.parallel;
  if (!p.moe_tp || !p.moe_ep)
    return "a model with experts needs --etp or --ep; with --etp 1 every expert is whole";
  if (p.attention_width() != *p.moe_tp * *p.moe_ep)
    return fmt::format("etp {} times ep {} must be tp {} times dp {} times cp {}; change --etp or --ep",
                       *p.moe_tp, *p.moe_ep, p.tp, p.dp, p.cp);
  if (*p.moe_ep > model.sizes().experts)
    return fmt::format("ep {} is more than the {} experts; choose a smaller --ep", *p.moe_ep,
                       model.sizes().experts);
  if (!checks_weight_blocks(model.family()) || deployment.quant.moe != aic::QuantMode::fp8_block) return {};
  const int64_t rows = weight_block_rows(model.checkpoint()), local = model.sizes().expert_inter / *p.moe_tp;
  if (local % rows == 0) return {};
  return fmt::format(
      "etp {} leaves {} rows of an expert on a rank, no multiple of the fp8 blocks of {}; choose a "
      "smaller --etp and a larger --ep",
      *p.moe_tp, local, rows);
}

}  // namespace

std::string_view name_of(Family family) {
  static constexpr std::string_view kNames[] = {"LLAMA",       "MOE",        "DEEPSEEK",    "KIMIK25",
                                                "DEEPSEEKV32", "DEEPSEEKV4", "KIMIK3",      "HYBRIDMOE",
                                                "STEP3P7",     "GEMMA4MIX",  "NEMOTRONH",   "NEMOTRONNAS",
                                                "QWEN35",      "QWEN3VL",    "QWEN3VL_MOE", "MINIMAXM3"};
  return kNames[size_t(family)];
}

std::string ServedModel::why_not(const Deployment& deployment) const {
  const Parallel& p = deployment.parallel;
  for (const auto& [flag, width] : {std::pair{"--tp", p.tp},
                                    {"--pp", p.pp},
                                    {"--dp", p.dp},
                                    {"--cp", p.cp},
                                    {"--etp", p.expert_tp()},
                                    {"--ep", p.expert_ep()}})
    if (width < 1) return fmt::format("{} is {}, it must be at least 1", flag, width);
  if (sizes_.heads % p.tp != 0)
    return fmt::format("tp {} does not divide {} attention heads; choose a --tp that does", p.tp,
                       sizes_.heads);
  if (p.pp > sizes_.layers)
    return fmt::format("pp {} is more than the {} layers; choose a smaller --pp", p.pp, sizes_.layers);
  if (has_experts())
    if (std::string why = why_not_experts(*this, deployment); !why.empty()) return why;
  if (p.cp > 1 && (deployment.framework != Framework::sglang || !splits_prompts()))
    return fmt::format("--cp {} is not known for {} with {}; leave it out", p.cp, checkpoint_.architecture(),
                       name_of(deployment.framework));
  if (p.cp > 1 && (p.tp > 1 || p.dp > 1)) return "--cp needs --tp 1 and --dp 1";
  return why_not_special(deployment);
}

Parallel ServedModel::completed(Parallel ranks) const {
  return has_experts() ? with_expert_widths(ranks) : ranks;
}

std::string ServedModel::why_unused(const Parallel& ranks) const {
  if (has_experts() || (ranks.expert_tp() <= 1 && ranks.expert_ep() <= 1)) return {};
  return "the model has no experts; leave out --etp and --ep";
}

double ServedModel::kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const {
  const int64_t per_token =
      sizes_.kv_heads_per_rank(deployment.parallel.tp) * sizes_.head_dim * sizes_.layers * 2;
  return double(tokens) * aic::profile_of(deployment.quant.kv).bytes * double(per_token);
}

std::vector<std::string_view> served_architectures() {
  std::vector<std::string_view> names;
  for (const Architecture& known : kArchitectures) names.push_back(known.name);
  return names;
}

std::unique_ptr<ServedModel> make_served_model(const Checkpoint& checkpoint) {
  const std::string architecture = checkpoint.architecture();
  for (const Architecture& known : kArchitectures)
    if (known.name == architecture) return known.make(checkpoint);
  throw Error(fmt::format("{}: architecture '{}' is not supported; known: {}", checkpoint.root.origin(),
                          clipped(architecture), join_words(served_architectures())));
}

}  // namespace perfatlas::estimate
