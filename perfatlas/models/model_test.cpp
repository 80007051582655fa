// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

// Sizes of Qwen/Qwen3-32B, whose tensor-parallel shapes are published with the estimator's specification.
constexpr const char* kQwen32B = R"({"architectures": ["Qwen3ForCausalLM"], "hidden_size": 5120,
  "intermediate_size": 25600, "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
  "num_hidden_layers": 64, "vocab_size": 151936, "torch_dtype": "bfloat16", "sliding_window": null})";

class ModelTest : public testing::Test {
 protected:
  std::unique_ptr<Model> make(const std::string& json) const {
    return make_model(checkpoint_of("m", HfConfig::parse(json, "config.json")), ops_);
  }
  std::string error_of(const std::string& json) const {
    try {
      (void)make(json);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  OpRegistry ops_ = all_ops();
};

std::string without(std::string json, const std::string& key) {
  const size_t at = json.find("\"" + key + "\"");
  json.replace(at, key.size() + 2, "\"unused\"");
  return json;
}

TEST_F(ModelTest, TensorParallelShapesOfQwen32B) {
  std::map<std::string, Gemm> linears;
  for (const OpUse& use : make(kQwen32B)->step({.phase = Phase::context, .batch = 2, .isl = 100}, {2, 2, 1}))
    if (use.c.op->info.id == "gemm") linears[use.name] = decode<Gemm>(use.c.values);
  EXPECT_EQ(linears["qkv_gemm"], (Gemm{Quant::bf16, 200, 5120, 5120}));
  EXPECT_EQ(linears["proj_gemm"], (Gemm{Quant::bf16, 200, 5120, 4096}));
  EXPECT_EQ(linears["gate_ffn1_gemm"], (Gemm{Quant::bf16, 200, 25600, 5120}));
  EXPECT_EQ(linears["ffn2_gemm"], (Gemm{Quant::bf16, 200, 5120, 12800}));
  EXPECT_EQ(linears["logits_gemm"], (Gemm{Quant::bf16, 2, 75968, 5120}));
}

TEST_F(ModelTest, LayersCountTheirOps) {
  const auto uses = make(kQwen32B)->step({.phase = Phase::generation, .batch = 4, .cached = 1023}, {1, 1, 1});
  std::set<std::string> once;
  for (const OpUse& use : uses) {
    if (use.count == 1) once.insert(use.name);
    EXPECT_TRUE(use.count == 1 || use.count == 64) << use.name;
  }
  EXPECT_THAT(once, testing::ElementsAre("embedding", "logits_gemm", "sampling"));
}

TEST_F(ModelTest, AStepLaunchesLayerAfterLayerAndSpreadsRarerOps) {
  const std::vector<OpUse> uses = {{"norm", {}, 4}, {"attention", {}, 2}, {"logits", {}, 1}};
  EXPECT_THAT(execution_order(uses), testing::ElementsAre(0, 0, 1, 0, 0, 1, 2));
}

TEST_F(ModelTest, MoreRanksThanKvHeadsReplicateThem) {
  EXPECT_EQ(make(kQwen32B)->why_not({16, 16, 1}), "");
  EXPECT_EQ(make(kQwen32B)->why_not({3, 3, 1}), "tp 3 does not divide 64 attention heads");
  EXPECT_EQ(make(kQwen32B)->why_not({0, 0, 1}), "tp 0 does not divide 64 attention heads");
}

TEST_F(ModelTest, ShapesAreDistinctAcrossModelsAndDegrees) {
  const auto model = make(kQwen32B);
  const Model* twice[] = {model.get(), model.get()};
  const ModelShapes shapes = shapes_of({twice[0], twice[1]}, {1, 1, 3});
  // Four linear layers of a context step, the same of a generation step, and the logits, which are alike in both.
  EXPECT_EQ(shapes.of<Gemm>().size(), 9u);
}

TEST_F(ModelTest, MissingKeysAndUnknownArchitecturesAreNamed) {
  EXPECT_EQ(error_of(without(kQwen32B, "hidden_size")), "config.json: key 'hidden_size' is missing");
  EXPECT_EQ(error_of(without(kQwen32B, "torch_dtype")),
            "config.json: key 'torch_dtype' is '', expected bfloat16, float16 or float32");
  EXPECT_EQ(error_of(without(kQwen32B, "architectures")),
            "config.json: key 'architectures' is missing; expected [\"...ForCausalLM\"]");
  EXPECT_THAT(error_of(R"({"architectures": ["FooForCausalLM"]})"),
              testing::StartsWith("config.json: architecture 'FooForCausalLM' is not supported; known: "
                                  "LlamaForCausalLM, Qwen2ForCausalLM, "));
  EXPECT_EQ(error_of("[1, 2"), "config.json: is no JSON object; expected a Hugging Face config.json");
}

TEST_F(ModelTest, AnUnknownModelListsTheLibrary) {
  try {
    (void)find_model("nobody/nothing", {std::string(PERFATLAS_TEST_DATA) + "/models"}, ops_);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("Qwen3-0.6B"), std::string::npos) << error.what();
  }
}

TEST_F(ModelTest, LibraryModelsAreFoundWithOrWithoutOrganisation) {
  const std::vector<std::string> library = {std::string(PERFATLAS_TEST_DATA) + "/models"};
  for (const char* name : {"Qwen/Qwen3-0.6B", "Qwen3-0.6B"})
    EXPECT_EQ(find_model(name, library, ops_)->architecture, "Qwen3ForCausalLM");
}

TEST_F(ModelTest, InfinityInAConfigurationIsNoLimit) {
  std::string json = kQwen32B;
  json.replace(json.find("null"), 4, "-Infinity");
  EXPECT_EQ(error_of(json), "no error");
}

}  // namespace
}  // namespace perfatlas
