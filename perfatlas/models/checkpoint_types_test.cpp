// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/checkpoint_types.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

Checkpoint quantised(const std::string& quantisation, const std::string& hf_quant = "") {
  Checkpoint checkpoint = checkpoint_of(
      "m",
      HfConfig::parse(fmt::format(R"({{"torch_dtype": "bfloat16", "num_hidden_layers": 4{}{}}})",
                                  quantisation.empty() ? "" : R"(, "quantization_config": )", quantisation),
                      "config.json"));
  if (!hf_quant.empty())
    checkpoint.hf_quant = HfConfig::parse(R"({"quantization": )" + hf_quant + "}", "hf_quant_config.json");
  return checkpoint;
}

std::string error_of(const std::string& quantisation) {
  try {
    (void)checkpoint_types(quantised(quantisation));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<Quant> types_of(const ModelTypes& t) {
  return {t.projection, t.output, t.dense, t.shared_expert, t.experts, t.logits};
}

using testing::ElementsAre;

TEST(CheckpointTypes, LogitsStayInTheStoredType) {
  const ModelTypes types =
      checkpoint_types(quantised(R"({"quant_method": "fp8", "weight_block_size": [128, 128]})"));
  EXPECT_THAT(types_of(types), ElementsAre(Quant::fp8_block, Quant::fp8_block, Quant::fp8_block,
                                           Quant::fp8_block, Quant::fp8_block, Quant::bf16));
}

TEST(CheckpointTypes, AFileBesideTheConfigurationCounts) {
  const ModelTypes types =
      checkpoint_types(quantised("", R"({"quant_algo": "FP8", "kv_cache_quant_algo": "FP8"})"));
  EXPECT_EQ(types.dense, Quant::fp8_static);
  EXPECT_EQ(types.kv, DType::fp8_e4m3);
}

TEST(CheckpointTypes, TheWholeModelsQuantisationIsItsLanguageModels) {
  const HfConfig root = HfConfig::parse(R"({"dtype": "bfloat16", "text_config": {"num_hidden_layers": 4},
      "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}})",
                                        "config.json");
  EXPECT_EQ(checkpoint_types(checkpoint_of("m", root)).experts, Quant::nvfp4);
}

TEST(CheckpointTypes, LeftOutModulesKeepTheirType) {
  std::string ignore = R"("lm_head", "model.layers.0.mlp.gate", "model.layers.3.mlp.gate_proj")";
  for (int i = 0; i < 4; ++i) ignore += fmt::format(R"(, "model.layers.{}.self_attn*")", i);
  const ModelTypes types =
      checkpoint_types(quantised("", R"({"quant_algo": "NVFP4", "exclude_modules": [)" + ignore + "]}"));
  EXPECT_THAT(types_of(types),
              ElementsAre(Quant::bf16, Quant::bf16, Quant::nvfp4, Quant::nvfp4, Quant::nvfp4, Quant::bf16))
      << "attention is left out in all layers, a dense layer and a router in one";
}

TEST(CheckpointTypes, OnlyWhatGoesIntoAttentionMayBeLeftOut) {
  const ModelTypes types = checkpoint_types(quantised(
      R"({"quant_method": "fp8", "activation_scheme": "dynamic",
          "modules_to_not_convert": ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "input_layernorm"]})"));
  EXPECT_EQ(types.projection, Quant::bf16);
  EXPECT_EQ(types.output, Quant::fp8);
}

struct Scheme {
  const char* group;
  Quant quant;
};

TEST(CheckpointTypes, GroupsOfCompressedTensorsAreReadByTheirBits) {
  const Scheme schemes[] = {
      {R"("weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128})",
       Quant::int4_wo},
      {R"("weights": {"num_bits": 8, "type": "int"})", Quant::int8_wo},
      {R"("weights": {"num_bits": 8, "type": "int"}, "input_activations": {"num_bits": 8, "type": "int"})",
       Quant::int8},
      {R"("weights": {"num_bits": 8, "type": "float", "strategy": "channel"},
          "input_activations": {"num_bits": 8, "type": "float", "dynamic": true})",
       Quant::fp8_rowwise},
      {R"("weights": {"num_bits": 8, "type": "float", "strategy": "tensor"},
          "input_activations": {"num_bits": 8, "type": "float", "dynamic": false})",
       Quant::fp8_static},
      {R"("weights": {"num_bits": 8, "type": "float", "strategy": "block"},
          "input_activations": {"num_bits": 8, "type": "float", "dynamic": true})",
       Quant::fp8_block},
      {R"("weights": {"num_bits": 4, "type": "float", "strategy": "tensor_group"},
          "input_activations": {"num_bits": 4, "type": "float", "dynamic": "local"})",
       Quant::nvfp4},
      {R"("weights": {"num_bits": 4, "type": "float", "strategy": "group"}, "input_activations": null)",
       Quant::w4a16_mxfp4},
  };
  for (const Scheme& scheme : schemes) {
    const ModelTypes types = checkpoint_types(quantised(
        fmt::format(R"({{"quant_method": "compressed-tensors", "ignore": ["lm_head", "re:.*self_attn.*"],
                         "config_groups": {{"group_0": {{"targets": ["Linear"], {}}}}}}})",
                    scheme.group)));
    EXPECT_EQ(types.dense, scheme.quant) << scheme.group;
    EXPECT_EQ(types.projection, Quant::bf16) << scheme.group;
  }
}

TEST(CheckpointTypes, GroupsMayStandInTheLanguageModelsPart) {
  const HfConfig root = HfConfig::parse(R"({"dtype": "bfloat16", "text_config": {"num_hidden_layers": 4,
      "quantization_config": {"quant_method": "compressed-tensors", "ignore": ["re:.*self_attn.*"],
          "config_groups": {"g": {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "int"}}}}}})",
                                        "config.json");
  const ModelTypes types = checkpoint_types(checkpoint_of("m", root));
  EXPECT_EQ(types.experts, Quant::int4_wo);
  EXPECT_EQ(types.projection, Quant::bf16);
}

TEST(CheckpointTypes, EveryModuleOfAMixedCheckpointHasItsOwn) {
  const ModelTypes types =
      checkpoint_types(quantised("", R"({"quant_algo": "MIXED_PRECISION", "quantized_layers": {
              "model.layers.0.self_attn.q_proj": {"quant_algo": "FP8"},
              "model.layers.0.mlp.experts.0.up_proj": {"quant_algo": "W4A16_NVFP4"}}})"));
  EXPECT_THAT(types_of(types), ElementsAre(Quant::fp8_static, Quant::bf16, Quant::bf16, Quant::bf16,
                                           Quant::w4a16_nvfp4, Quant::bf16));
}

TEST(CheckpointTypes, WeightOnlyMethodsAreReadByTheirBits) {
  EXPECT_EQ(checkpoint_types(quantised(R"({"quant_method": "awq", "bits": 4})")).dense, Quant::int4_wo);
  EXPECT_EQ(checkpoint_types(quantised(R"({"quant_method": "gptq", "bits": 8})")).dense, Quant::int8_wo);
}

TEST(CheckpointTypes, WhatIsNotUnderstoodIsNamed) {
  EXPECT_THAT(error_of(R"({"quant_method": "gptq", "bits": 3})"), HasSubstr("no 'bits' of 4 or 8"));
  EXPECT_THAT(error_of("3"), HasSubstr("key 'quantization_config' is no object"));
  EXPECT_THAT(error_of(R"({"bits": 4})"), HasSubstr("names no quant_algo and no quant_method"));
  EXPECT_THAT(error_of(R"({"quant_method": "compressed-tensors"})"), HasSubstr("has no config_groups"));
  EXPECT_THAT(
      error_of(R"({"quant_method": "compressed-tensors", "config_groups": {"g": {"targets": ["Linear"],
                           "weights": {"num_bits": 2, "type": "int"}}}})"),
      HasSubstr("g has 2-bit integer weights"));
}

}  // namespace
}  // namespace perfatlas
