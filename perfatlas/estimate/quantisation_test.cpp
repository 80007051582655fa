// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/quantisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/exclusions.h"

namespace perfatlas::estimate {
namespace {

using Mode = aic::QuantMode;

Checkpoint with_config(const std::string& quantization, const std::string& hf_quant = "",
                       const std::string& architecture = "LlamaForCausalLM") {
  const std::string body = R"("num_hidden_layers": 2, "hidden_size": 256, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 512, "vocab_size": 1000, "max_position_embeddings": 4096)";
  const std::string quant = quantization.empty() ? "" : R"(, "quantization_config": )" + quantization;
  const HfConfig root = HfConfig::parse(
      R"({"architectures": [")" + architecture + R"("], )" + body + quant + "}", "config.json");
  Checkpoint checkpoint{
      .name = "test", .root = root, .config = root.language_part(), .hf_quant = std::nullopt};
  if (!hf_quant.empty()) checkpoint.hf_quant = HfConfig::parse(hf_quant, "hf_quant_config.json");
  return checkpoint;
}

std::vector<Mode> nothing_measured(std::optional<Mode>) { return {}; }

QuantModes resolved(const Checkpoint& checkpoint, QuantQuestion question = {}) {
  return resolve_quant(*make_served_model(checkpoint), question, nothing_measured);
}

TEST(CheckpointQuant, OfAPlainCheckpointIsSilentAndResolvesToBfloat16) {
  const QuantModes modes = resolved(with_config(""));
  EXPECT_EQ(modes.gemm, Mode::bfloat16);
  EXPECT_EQ(modes.kv, Mode::bfloat16);
  EXPECT_EQ(modes.fmha, Mode::bfloat16);
  EXPECT_FALSE(checkpoint_quant(with_config("")).gemm.has_value());
}

TEST(CheckpointQuant, Fp8IsStaticUnlessItSaysDynamic) {
  EXPECT_EQ(resolved(with_config(R"({"quant_method": "fp8"})")).gemm, Mode::fp8_static);
  EXPECT_EQ(resolved(with_config(R"({"quant_method": "fp8", "activation_scheme": "static"})")).gemm,
            Mode::fp8_static);
  EXPECT_EQ(resolved(with_config(R"({"quant_method": "fp8", "activation_scheme": "dynamic"})")).gemm,
            Mode::fp8);
}

TEST(CheckpointQuant, Fp8InBlocksAlsoComputesAttentionInFp8OverAnFp8Cache) {
  const QuantModes modes = resolved(with_config(
      R"({"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]})"));
  EXPECT_EQ(modes.gemm, Mode::fp8_block);
  EXPECT_EQ(modes.moe, Mode::fp8_block);
  EXPECT_EQ(modes.kv, Mode::fp8);
  EXPECT_EQ(modes.fmha, Mode::fp8);
}

TEST(CheckpointQuant, OfHfQuantConfigWinsOverTheConfiguration) {
  const Checkpoint checkpoint =
      with_config(R"({"quant_method": "fp8", "activation_scheme": "dynamic"})",
                  R"({"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}})");
  EXPECT_EQ(resolved(checkpoint, {.sm_version = 100}).gemm, Mode::nvfp4);
}

TEST(CheckpointQuant, FourBitFloatsAreWeightOnlyBeforeBlackwell) {
  const Checkpoint checkpoint = with_config("", R"({"quantization": {"quant_algo": "NVFP4"}})");
  EXPECT_EQ(resolved(checkpoint, {.sm_version = 90}).gemm, Mode::nvfp4_wo);
  EXPECT_EQ(resolved(checkpoint, {.sm_version = 100}).gemm, Mode::nvfp4);
}

TEST(CheckpointQuant, OfCompressedTensorsFollowsBitsAndLeavesOutIgnoredModules) {
  const std::string weights = R"("config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}})";
  const QuantChoice all =
      checkpoint_quant(with_config(R"({"quant_method": "compressed-tensors", )" + weights + "}"));
  EXPECT_EQ(all.gemm, Mode::int4_wo);
  EXPECT_EQ(all.moe, Mode::int4_wo);
  const QuantChoice some = checkpoint_quant(with_config(
      R"({"quant_method": "compressed-tensors", "ignore": ["re:.*self_attn.*"], )" + weights + "}"));
  EXPECT_FALSE(some.gemm.has_value());
  EXPECT_EQ(some.moe, Mode::int4_wo);
}

TEST(CheckpointQuant, OfMixedPrecisionTellsRoutedExpertsFromTheRest) {
  const QuantChoice choice = checkpoint_quant(
      with_config("", R"({"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": {
            "model.layers.0.self_attn.q_proj": {"quant_algo": "FP8"},
            "model.layers.0.mlp.shared_experts.up_proj": {"quant_algo": "FP8"},
            "model.layers.0.mlp.experts.0.up_proj": {"quant_algo": "NVFP4"}}}})"));
  EXPECT_EQ(choice.gemm, Mode::fp8_static);
  EXPECT_EQ(choice.moe, Mode::nvfp4);
}

TEST(CheckpointQuant, OfAnUnknownAlgorithmIsAnErrorThatListsTheKnownOnes) {
  try {
    checkpoint_quant(with_config(R"({"quant_method": "awq"})"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("'awq'"), testing::HasSubstr("nvfp4")));
  }
}

TEST(ResolveQuant, WhatTheUserSaysWins) {
  const Checkpoint checkpoint = with_config(R"({"quant_method": "fp8", "activation_scheme": "dynamic"})");
  const QuantModes modes = resolved(checkpoint, {.chosen = {.gemm = Mode::bfloat16, .kv = Mode::bfloat16}});
  EXPECT_EQ(modes.gemm, Mode::bfloat16);
  EXPECT_EQ(modes.kv, Mode::bfloat16);
  EXPECT_TRUE(modes.gemm_is_explicit);
}

TEST(ResolveQuant, ImpliedFp8AttentionFallsBackWhereOnlyBfloat16WasMeasured) {
  const auto model =
      make_served_model(with_config(R"({"quant_method": "fp8", "activation_scheme": "dynamic"})"));
  const auto only_bf16 = [](std::optional<Mode>) { return std::vector{Mode::bfloat16}; };
  EXPECT_EQ(resolve_quant(*model, {}, only_bf16).fmha, Mode::bfloat16);
  EXPECT_THROW(resolve_quant(*model, {.chosen = {.fmha = Mode::fp8}}, only_bf16), UsageError);
}

TEST(ResolveQuant, VllmPrefillsInBfloat16UnlessToldOtherwise) {
  const Checkpoint checkpoint = with_config(R"({"quant_method": "fp8", "activation_scheme": "dynamic"})");
  EXPECT_EQ(resolved(checkpoint, {.framework = Framework::vllm}).fmha, Mode::bfloat16);
  EXPECT_EQ(resolved(checkpoint, {.chosen = {.fmha = Mode::fp8}, .framework = Framework::vllm}).fmha,
            Mode::fp8);
}

TEST(Exclusions, NameTheProjectionsOfLatentAttention) {
  const ExcludedProjections some = excluded_projections(with_config(
      "", R"({"quantization": {"quant_algo": "NVFP4", "exclude_modules": ["*q_a_proj*", "*kv_b_proj*"]}})"));
  EXPECT_TRUE(some.q && some.kv);
  EXPECT_FALSE(some.o || some.indexer);
  const ExcludedProjections all = excluded_projections(with_config(
      "", R"({"quantization": {"quant_algo": "NVFP4", "exclude_modules": ["model.layers.*.self_attn*"]}})"));
  EXPECT_TRUE(all.q && all.kv && all.o && all.indexer);
}

TEST(QuantNames, ThatAreNotOfTheKindAreRefusedWithTheKnownOnes) {
  EXPECT_EQ(gemm_mode_from_name("fp8_block"), Mode::fp8_block);
  EXPECT_THROW(kv_mode_from_name("nvfp4"), UsageError);
  EXPECT_THROW(comm_mode_from_name("bfloat16"), UsageError);
}

}  // namespace
}  // namespace perfatlas::estimate
