// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/op_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <utility>

#include "perfatlas/aic/op_json.h"

namespace perfatlas::estimate {
namespace {

nlohmann::json as_question(const OpText& text) {
  nlohmann::json fields = {{"name", text.name}, {"scale_factor", text.count}};
  for (const auto& [name, value] : text.fields) {
    const auto number = nlohmann::json::parse(value, nullptr, false);
    fields[std::string(name)] = number.is_discarded() ? nlohmann::json(value) : number;
  }
  return fields;
}

OpText text_of(std::string_view name, const char* fields) {
  return op_text(aic::op_from_json(name, nlohmann::json::parse(fields)));
}

TEST(OpText, CanBeAskedAsPrinted) {
  const std::pair<std::string_view, const char*> ops[] = {
      {"GEMM", R"({"n": 4096, "k": 1024, "quant_mode": "fp8_block", "scale_factor": 3, "seq_split": 2})"},
      {"ContextAttention", R"({"n": 8, "n_kv": 2, "head_size": 64, "kvcache_quant_mode": "fp8",
                               "fmha_quant_mode": "fp8", "use_qk_norm": true, "cp_size": 4})"},
      {"WideEPContextMLA", R"({"tp_size": 8, "kvcache_quant_mode": "fp8", "fmha_quant_mode": "fp8_block"})"},
      {"GenerationDSAModule", R"({"num_heads": 16, "kv_cache_dtype": "fp8", "gemm_quant_mode": "nvfp4",
                                  "index_topk_freq": 4})"},
      {"DeepSeekV4MHCModule", R"({"op": "both", "hidden_size": 7168, "hc_mult": 4, "sinkhorn_iters": 20,
                                  "quant_mode": "bfloat16", "architecture": "DeepseekV4ForCausalLM"})"},
      {"MoEExpertCompute", R"({"hidden_size": 7168, "inter_size": 2048, "topk": 8, "num_experts": 256,
                               "moe_ep_size": 8, "quant_mode": "nvfp4", "workload_distribution": "uniform",
                               "attention_dp_size": 4, "inference_phase": "generation"})"},
      {"NCCL", R"({"nccl_op": "all_reduce", "num_elements_per_token": 0.5, "num_gpus": 8,
                   "comm_quant_mode": "half"})"},
      {"ElementWise", R"({"dim_in": 1024, "dim_out": 3072, "scale_num_tokens": 2})"},
      {"KDAKernel", R"({"kernel_source": "chunk_kda", "phase": "verify", "d_model": 2048, "num_k_heads": 16,
                        "head_k_dim": 128, "num_v_heads": 32, "head_v_dim": 128, "d_conv": 4,
                        "draft_tokens": 3})"}};
  for (const auto& [name, fields] : ops) {
    const OpText text = text_of(name, fields);
    const OpText again = op_text(aic::op_from_json(text.kind, as_question(text)));
    EXPECT_EQ(text.kind, name);
    EXPECT_EQ(again.count, text.count);
    EXPECT_EQ(again.fields, text.fields) << name;
  }
}

TEST(OpText, LeavesOutWhatIsUsual) {
  const OpText text =
      text_of("GenerationAttention",
              R"({"n": 8, "n_kv": 2, "head_size": 128, "window_size": 256, "kv_cache_dtype": "bfloat16"})");
  const std::vector<std::pair<std::string_view, std::string>> expected = {
      {"n", "8"}, {"n_kv", "2"}, {"window_size", "256"}, {"kv_cache_dtype", "bfloat16"}};
  EXPECT_EQ(text.fields, expected);
}

TEST(OpText, ProjectionsInTheModeOfTheBlockAreUsual) {
  const char* block = R"({"num_heads": 16, "kv_cache_dtype": "fp8", "gemm_quant_mode": "nvfp4"})";
  const char* mixed = R"({"num_heads": 16, "kv_cache_dtype": "fp8", "gemm_quant_mode": "nvfp4",
                          "attn_projection_quant_modes": {"q": "nvfp4", "o": "bfloat16"}})";
  const OpText plain = text_of("GenerationDSAModule", block), other = text_of("GenerationDSAModule", mixed);
  ASSERT_EQ(other.fields.size(), plain.fields.size() + 1);
  EXPECT_EQ(other.fields.back().first, "o");
}

}  // namespace
}  // namespace perfatlas::estimate
