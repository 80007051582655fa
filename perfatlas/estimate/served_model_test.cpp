// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/served_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/op_weights.h"
#include "perfatlas/estimate/silicon.h"

namespace perfatlas::estimate {
namespace {

Checkpoint checkpoint_of(const std::string& json) {
  return perfatlas::checkpoint_of("test", HfConfig::parse(json, "config.json"));
}

std::string config(const std::string& architecture, const std::string& more = "") {
  return R"({"architectures": [")" + architecture + R"("], "num_hidden_layers": 4, "hidden_size": 1024,
    "num_attention_heads": 16, "num_key_value_heads": 4, "intermediate_size": 4096, "vocab_size": 32000,
    "max_position_embeddings": 8192)" +
         more + "}";
}

const std::string kExperts = R"(, "num_experts": 32, "num_experts_per_tok": 4, "moe_intermediate_size": 512)";

std::vector<std::string> names(const std::vector<aic::Op>& ops) {
  std::vector<std::string> names;
  for (const aic::Op& op : ops) names.push_back(op.name());
  return names;
}

const aic::Gemm& gemm(const std::vector<aic::Op>& ops, const std::string& name) {
  for (const aic::Op& op : ops)
    if (op.name() == name) return std::get<aic::Gemm>(op.value);
  throw Error("no " + name);
}

TEST(Llama, IssuesItsOpsInOrderWithLocalShapes) {
  const auto model = make_served_model(checkpoint_of(config("LlamaForCausalLM")));
  Deployment d;
  d.parallel.tp = 2;
  const StepGraph graph = model->graph(d);
  EXPECT_THAT(
      names(graph.context),
      testing::ElementsAre("context_embedding", "context_add_norm_1", "context_qkv_gemm", "context_attention",
                           "context_proj_gemm", "context_add_norm_2", "context_gate_ffn1_gemm",
                           "context_act_gate", "context_ffn2_gemm", "context_logits_gemm",
                           "context_embedding_ar", "context_ar_1", "context_ar_2", "context_p2p"));
  const aic::Gemm& qkv = gemm(graph.context, "context_qkv_gemm");
  EXPECT_EQ(qkv.n, 16 * 64 / 2 + 2 * 2 * 64);  // 8 query heads, 2 key and 2 value heads of this rank
  EXPECT_EQ(qkv.k, 1024);
  EXPECT_DOUBLE_EQ(qkv.scale_factor, 4);
}

TEST(Llama, DraftLayersMakeEveryDecodeOpDearer) {
  const auto model = make_served_model(checkpoint_of(config("LlamaForCausalLM")));
  Deployment d;
  d.drafted_tokens = 1;
  const StepGraph graph = model->graph(d);
  EXPECT_DOUBLE_EQ(gemm(graph.generation, "generation_qkv_gemm").scale_factor, 4 * 5.0 / 4);
  EXPECT_DOUBLE_EQ(gemm(graph.context, "context_qkv_gemm").scale_factor, 4);
}

TEST(Mixture, HasNoLogitsInPrefillAndShardsItsExperts) {
  const auto model = make_served_model(checkpoint_of(config("Qwen3MoeForCausalLM", kExperts)));
  Deployment d;
  d.parallel = {.tp = 4, .moe_tp = 1, .moe_ep = 4};
  const StepGraph graph = model->graph(d);
  EXPECT_THAT(names(graph.context), testing::Not(testing::Contains("context_logits_gemm")));
  EXPECT_THAT(names(graph.generation), testing::Contains("generation_logits_gemm"));
  double experts = 0;
  for (const aic::Op& op : graph.context)
    if (op.name() == "context_moe") experts = weight_bytes(op);
  EXPECT_DOUBLE_EQ(experts, 4.0 * 1024 * 512 * 32 * 2 * 3 / 4);
}

TEST(WhyNot, SaysWhatToChange) {
  const auto dense = make_served_model(checkpoint_of(config("LlamaForCausalLM")));
  Deployment d;
  d.parallel.tp = 3;
  EXPECT_EQ(dense->why_not(d), "tp 3 does not divide 16 attention heads; choose a --tp that does");
  d.parallel.tp = 0;
  EXPECT_EQ(dense->why_not(d), "--tp is 0, it must be at least 1");
  const auto mixture = make_served_model(checkpoint_of(config("Qwen3MoeForCausalLM", kExperts)));
  d.parallel = {.tp = 4, .moe_tp = 2, .moe_ep = 4};
  EXPECT_THAT(mixture->why_not(d), testing::HasSubstr("change --etp or --ep"));
  d.parallel = {.tp = 4, .moe_tp = 4, .moe_ep = 1};
  EXPECT_EQ(mixture->why_not(d), "");
  d.parallel = {.tp = 8, .moe_tp = 8, .moe_ep = 1};
  d.quant.moe = aic::QuantMode::fp8_block;  // 64 rows of an expert are no whole block of 128
  EXPECT_THAT(mixture->why_not(d), testing::HasSubstr("no multiple of the fp8 blocks of 128"));
}

TEST(ServedModel, OfAnUnknownArchitectureListsTheKnownOnes) {
  try {
    make_served_model(checkpoint_of(config("MambaForCausalLM")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("MambaForCausalLM"),
                                             testing::HasSubstr("LlamaForCausalLM")));
  }
}

TEST(ServedModel, NamesAMissingKey) {
  try {
    make_served_model(checkpoint_of(R"({"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 4})"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("'hidden_size' is missing"));
  }
}

TEST(ExpertWidths, FollowFromEachOther) {
  EXPECT_EQ(with_expert_widths({.tp = 4, .dp = 2, .moe_ep = 8}).moe_tp, 1);
  EXPECT_EQ(with_expert_widths({.tp = 4, .moe_tp = 2}).moe_ep, 2);
  EXPECT_THROW(with_expert_widths({.tp = 4}), UsageError);
  EXPECT_THROW(with_expert_widths({.tp = 4, .moe_ep = 3}), UsageError);
  EXPECT_THROW(with_expert_widths({.tp = 4, .moe_ep = 0}), UsageError);
}

TEST(Parallel, IsLabelledAsPublishedTablesDo) {
  EXPECT_EQ((Parallel{.tp = 4}).label(), "tp4pp1dp1etpNoneepNone");
  EXPECT_EQ((Parallel{.tp = 1, .dp = 4, .cp = 2, .moe_tp = 1, .moe_ep = 8}).label(), "tp1pp1dp4etp1ep8cp2");
}

TEST(SiliconRuns, AreHalvedByTheLastDigitOfTheSha1OfTheirId) {
  EXPECT_FALSE(is_development_run("abc"));                 // a9993e36...d89d
  EXPECT_FALSE(is_development_run(""));                    // da39a3ee...0709
  EXPECT_TRUE(is_development_run(std::string(119, 'x')));  // two blocks
}

}  // namespace
}  // namespace perfatlas::estimate
