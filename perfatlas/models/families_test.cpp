// SPDX-License-Identifier: Apache-2.0
// Every family on a published configuration: shapes that the models' own documentation states.
#include "perfatlas/models/families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/gdn/gdn.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/mamba2/mamba2.h"
#include "perfatlas/ops/mla/mla.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {
namespace {

constexpr StepShape kPrompt{.phase = Phase::context, .batch = 2, .isl = 100};
constexpr StepShape kDecode{.phase = Phase::generation, .batch = 4, .cached = 1000};

class FamilyTest : public testing::Test {
 protected:
  std::unique_ptr<Model> model(const std::string& name, const ModelOptions& options = {}) const {
    return find_model(name, {std::string(PERFATLAS_TEST_DATA) + "/models"}, ops_, options);
  }
  std::map<std::string, OpUse> step(const Model& m, const StepShape& shape,
                                    const Parallelism& ranks = {}) const {
    std::map<std::string, OpUse> uses;
    for (const OpUse& use : m.step(shape, ranks)) {
      EXPECT_TRUE(uses.emplace(use.name, use).second) << use.name << " stands twice";
      EXPECT_EQ(use.c.op->why_invalid(use.c.values), "") << case_text(use.c);
    }
    return uses;
  }
  template <class Op>
  static Op op(const std::map<std::string, OpUse>& uses, const std::string& name) {
    return decode<Op>(uses.at(name).c.values);
  }
  OpRegistry ops_ = all_ops();
};

TEST_F(FamilyTest, DeepSeekV3SplitsLatentAttentionByHeadsAndExpertsByBothWays) {
  const auto m = model("DeepSeek-V3");
  const auto uses = step(*m, kPrompt, {4, 2, 2});
  EXPECT_EQ(op<Gemm>(uses, "qkv_a_gemm"), (Gemm{Quant::fp8_block, 200, 2112, 7168}));
  EXPECT_EQ(op<Gemm>(uses, "q_b_gemm"), (Gemm{Quant::fp8_block, 200, 32 * 192, 1536}));
  EXPECT_EQ(op<Gemm>(uses, "kv_b_gemm"), (Gemm{Quant::fp8_block, 200, 32 * 256, 512}));
  EXPECT_EQ(op<Gemm>(uses, "proj_gemm"), (Gemm{Quant::fp8_block, 200, 7168, 32 * 128}));
  EXPECT_EQ(op<MlaContext>(uses, "attention").heads, 32);
  const Moe moe = op<Moe>(uses, "moe");
  EXPECT_EQ(std::tuple(moe.hidden, moe.inter, moe.topk, moe.experts, moe.tp, moe.ep),
            std::tuple(7168, 2048, 8, 256, 2, 2));
  EXPECT_EQ(uses.at("moe").count, 58) << "the first three layers are dense";
  EXPECT_EQ(op<Gemm>(uses, "shared_ffn2_gemm").k, 512);
}

TEST_F(FamilyTest, DeepSeekV3DecodesAbsorbed) {
  const auto uses = step(*model("DeepSeek-V3"), kDecode);
  EXPECT_EQ(op<MlaGeneration>(uses, "attention").step, 1000);
  EXPECT_TRUE(uses.contains("mla_bmm_pre") && uses.contains("mla_bmm_post"));
  EXPECT_FALSE(uses.contains("kv_b_gemm"));
}

TEST_F(FamilyTest, AWholeLatentBlockIsMeasuredBesideItsParts) {
  const auto m = model("DeepSeek-V3", {Quant::bf16});
  const auto blocks = m->blocks(kPrompt, {8, 8, 1});
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(decode<MlaContextModule>(blocks[0].c.values).heads, 16);
  EXPECT_EQ(blocks[0].c.op->why_invalid(blocks[0].c.values), "");
}

TEST_F(FamilyTest, Qwen3MoeNormsItsHeadsAndRoutesToEightOf128) {
  const auto uses = step(*model("Qwen3-30B-A3B"), kPrompt, {4, 1, 4});
  EXPECT_EQ(op<Gemm>(uses, "qkv_gemm").n, (8 + 2) * 128);
  EXPECT_TRUE(uses.contains("q_norm"));
  const Moe moe = op<Moe>(uses, "moe");
  EXPECT_EQ(std::tuple(moe.inter, moe.topk, moe.experts, moe.tp, moe.ep), std::tuple(768, 8, 128, 1, 4));
}

TEST_F(FamilyTest, GptOssAlternatesWindowedAndFullAttentionWithFourBitExperts) {
  const auto uses = step(*model("gpt-oss-20b"), kPrompt);
  EXPECT_EQ(op<AttentionContext>(uses, "attention_window").window, 128);
  EXPECT_EQ(op<AttentionContext>(uses, "attention").window, 0);
  EXPECT_EQ(uses.at("attention_window").count, 12);
  EXPECT_EQ(uses.at("attention").count, 12);
  EXPECT_EQ(op<Moe>(uses, "moe").dtype, Quant::w4a16_mxfp4);
  EXPECT_EQ(op<Gemm>(uses, "qkv_gemm").dtype, Quant::bf16);
}

TEST_F(FamilyTest, NemotronHFollowsItsLayerPattern) {
  const auto uses = step(*model("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"), kPrompt, {2, 2, 1});
  EXPECT_EQ(uses.at("mamba_scan").count, 23);
  EXPECT_EQ(uses.at("moe").count, 23);
  EXPECT_EQ(uses.at("attention").count, 6);
  EXPECT_FALSE(op<Moe>(uses, "moe").gated);
  const Mamba2 scan = op<Mamba2>(uses, "mamba_scan");
  EXPECT_EQ(std::tuple(scan.heads, scan.groups, scan.d_state, scan.chunk), std::tuple(32, 4, 128, 128));
  EXPECT_FALSE(uses.contains("rope"));
}

TEST_F(FamilyTest, ADenseNemotronHHasNoExperts) {
  const auto uses = step(*model("Nemotron-H-56B-Base-8K"), kDecode, {8, 8, 1});
  EXPECT_EQ(uses.at("ffn1_gemm").count, 54);
  EXPECT_FALSE(uses.contains("moe"));
  EXPECT_EQ(op<Mamba2>(uses, "mamba_scan").kernel, Symbol("selective_state_update"));
}

TEST_F(FamilyTest, Qwen35AlternatesDeltaNetsAndGatedAttention) {
  const auto uses = step(*model("Qwen3.5-35B-A3B"), kPrompt);
  EXPECT_EQ(uses.at("gdn_rule").count, 30);
  EXPECT_EQ(uses.at("attention").count, 10);
  const Gdn rule = op<Gdn>(uses, "gdn_rule");
  EXPECT_EQ(std::tuple(rule.k_heads, rule.k_dim, rule.v_heads, rule.v_dim), std::tuple(16, 128, 32, 128));
  EXPECT_EQ(op<Gemm>(uses, "qkv_gemm").n, (2 * 16 + 2 * 2) * 256) << "queries come with a gate";
}

TEST_F(FamilyTest, RanksThatDoNotDivideAModelAreNamed) {
  EXPECT_EQ(model("DeepSeek-V3")->why_not({6, 6, 1}), "tp 6 does not divide 128 attention heads");
  EXPECT_EQ(model("Mixtral-8x7B-v0.1")->why_not({16, 1, 16}), "moe_ep 16 does not divide 8 experts");
  EXPECT_EQ(model("Mixtral-8x7B-v0.1")->why_not({8, 2, 2}), "moe_tp 2 times moe_ep 2 is not tp 8");
  EXPECT_THAT(model("Mixtral-8x7B-v0.1")->splits(8), testing::SizeIs(4));
  EXPECT_THAT(model("Qwen3-0.6B")->splits(8), testing::SizeIs(1)) << "without experts only tp counts";
}

TEST_F(FamilyTest, AnotherTypeReplacesTheCheckpoints) {
  const auto uses = step(*model("DeepSeek-V3", {Quant::bf16}), kPrompt);
  EXPECT_EQ(op<Gemm>(uses, "q_b_gemm").dtype, Quant::bf16);
  EXPECT_EQ(op<Moe>(uses, "moe").dtype, Quant::bf16);
}

TEST_F(FamilyTest, AnUnknownQuantisationIsNamed) {
  const HfConfig config = HfConfig::parse(
      R"({"architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16",
          "quantization_config": {"quant_method": "magic"}})",
      "config.json");
  try {
    (void)make_model(checkpoint_of("m", config), ops_);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(
        error.what(),
        testing::HasSubstr("quant_method is 'magic'; known: fp8, fbgemm_fp8, ptpc_fp8, mxfp8, mxfp4, nvfp4"));
  }
}

}  // namespace
}  // namespace perfatlas
