// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <set>

namespace perfatlas {
namespace {

using testing::ElementsAre;

std::vector<Moe> aic(AicFramework framework, int sm_version) {
  std::vector<Moe> cases;
  Moe::aic_cases({.sm_version = sm_version, .framework = framework},
                 [&](const Moe& op) { cases.push_back(op); });
  return cases;
}

TEST(Moe, PublishedGridHasThePublishedSize) {
  EXPECT_EQ(aic(AicFramework::trtllm, 90).size(), 75087u);
  EXPECT_EQ(aic(AicFramework::trtllm, 100).size(), 119556u);
  EXPECT_EQ(aic(AicFramework::vllm, 90).size(), 31266u);
  EXPECT_EQ(aic(AicFramework::vllm, 100).size(), 39447u);
  EXPECT_EQ(aic(AicFramework::sglang, 90).size(), 38340u);
  EXPECT_EQ(aic(AicFramework::sglang, 100).size(), 57240u);
}

TEST(Moe, PublishedGridIsValidAndDistinctButForTheSecondKernel) {
  const OpType type = make_op_type<Moe>();
  for (const auto& [framework, sm, twice] : {std::tuple{AicFramework::trtllm, 90, 0},
                                             {AicFramework::trtllm, 100, 19440},
                                             {AicFramework::vllm, 100, 0},
                                             {AicFramework::sglang, 100, 0}}) {
    const std::vector<Moe> cases = aic(framework, sm);
    std::set<FieldValues> distinct;
    for (const Moe& op : cases) {
      ASSERT_EQ(op.why_invalid(), "") << case_text(make_case(type, op));
      ASSERT_EQ(op.published_as_gated(), op.gated) << case_text(make_case(type, op));
      distinct.insert(encode(op));
    }
    EXPECT_EQ(cases.size() - distinct.size(), size_t(twice)) << name_of(framework) << sm;
  }
}

TEST(Moe, ColumnsAreThoseOfThePublishedTableAndGatedMayBeAbsent) {
  const OpType type = make_op_type<Moe>();
  std::vector<std::string_view> required;
  for (const FieldType& field : type.fields)
    if (!field.absent) required.push_back(field.column);
  EXPECT_THAT(required, ElementsAre("moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk",
                                    "num_experts", "moe_tp_size", "moe_ep_size", "distribution"));
  const FieldType& gated = type.fields[*type.find_field("gated")];
  EXPECT_EQ(gated.absent(encode(Moe{.hidden = 7168, .inter = 2048, .topk = 8, .experts = 256})), 1);
  EXPECT_EQ(gated.absent(encode(Moe{.hidden = 4096, .inter = 2688, .topk = 22, .experts = 512})), 0);
  EXPECT_EQ(gated.absent(encode(Moe{.hidden = 8192, .inter = 5120, .topk = 22, .experts = 512})), 0);
}

TEST(Moe, SenselessCasesSayWhy) {
  const Moe good{.tokens = 4, .hidden = 64, .inter = 96, .topk = 2, .experts = 8, .tp = 2, .ep = 4};
  EXPECT_EQ(good.why_invalid(), "");
  const auto why = [&](auto change) {
    Moe op = good;
    change(op);
    return op.why_invalid();
  };
  EXPECT_THAT(why([](Moe& op) { op.topk = 9; }), testing::HasSubstr("topk"));
  EXPECT_THAT(why([](Moe& op) { op.ep = 3; }), testing::HasSubstr("ep ranks"));
  EXPECT_THAT(why([](Moe& op) { op.tp = 5; }), testing::HasSubstr("tp ranks"));
  EXPECT_THAT(why([](Moe& op) { op.tokens = 0; }), testing::HasSubstr("positive"));
  EXPECT_THAT(why([](Moe& op) { op.ep = 0; }), testing::HasSubstr("positive"));
  EXPECT_THAT(why([](Moe& op) { op.distribution = Symbol("power_law_1"); }),
              testing::HasSubstr("power_law_A"));
  EXPECT_THAT(why([](Moe& op) { op.dtype = Quant::int4_wo, op.hidden = 63; }),
              testing::HasSubstr("whole blocks"));
}

TEST(Moe, OperandsAreThoseOfOneRank) {
  const Moe op{.tokens = 5, .hidden = 64, .inter = 96, .topk = 2, .experts = 8, .tp = 2, .ep = 4};
  const Operands operands = op.operands();
  EXPECT_THAT(operands[moe_x_at].shape, ElementsAre(5, 64));
  EXPECT_THAT(operands[moe_logits_at].shape, ElementsAre(5, 8));
  EXPECT_THAT(operands[moe_w13_at].shape, ElementsAre(2, 2, 48, 64));
  EXPECT_THAT(operands[moe_w2_at].shape, ElementsAre(2, 64, 48));
  EXPECT_THAT(operands[moe_out_at].shape, ElementsAre(5, 64));
  Moe ungated = op;
  ungated.gated = false;
  EXPECT_THAT(ungated.operands()[moe_w13_at].shape, ElementsAre(2, 1, 48, 64));
}

RC_GTEST_PROP(Moe, TopKOfTheLogitsRecoversTheAssignment, ()) {
  Moe op{.tokens = *rc::gen::inRange<int64_t>(1, 100), .ep = *rc::gen::element<int64_t>(1, 2, 4)};
  op.experts = op.ep * *rc::gen::inRange<int64_t>(1, 30);
  op.topk = *rc::gen::inRange<int64_t>(1, std::min<int64_t>(op.experts, 8) + 1);
  op.distribution = Symbol(*rc::gen::element<std::string>(
      "balanced", "power_law_1.2", "power_law_1.01_fixed_order", "power_law_1.2_eplb"));
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  HostOperand logits{op.operands()[moe_logits_at], {}, {}};
  logits.values.resize(size_t(op.tokens * op.experts));
  logits.declared.content(seed, logits);
  const ExpertIds ids = route_tokens(op.routing_shape(), *parse_distribution(op.distribution.text()), seed);
  std::vector<int32_t> chosen(static_cast<size_t>(op.topk));
  for (int64_t token = 0; token < op.tokens; ++token) {
    top_k(logits.values.data() + token * op.experts, op.experts, op.topk, chosen.data());
    const auto row = ids.begin() + token * op.topk;
    RC_ASSERT(std::set<int32_t>(chosen.begin(), chosen.end()) == std::set<int32_t>(row, row + op.topk));
  }
}

TEST(Moe, TopKIsBestFirstAndPrefersLowerIndices) {
  const float logits[] = {1, 5, 3, 5, -2};
  int32_t chosen[4];
  top_k(logits, 5, 4, chosen);
  EXPECT_THAT(chosen, ElementsAre(1, 3, 2, 0));
}

TEST(Moe, ArithmeticFollowsTheTokensAlone) {
  // Token-equivalent: no field but num_tokens says how the step is made up, and work per token does not depend on it
  // once every expert has tokens.
  Moe op{.tokens = 64, .hidden = 512, .inter = 256, .topk = 4, .experts = 32, .tp = 2, .ep = 4};
  const Work once = op.work();
  op.tokens *= 3;
  const Work thrice = op.work();
  EXPECT_DOUBLE_EQ(thrice.flops, 3 * once.flops);
  EXPECT_DOUBLE_EQ(thrice.activation_bytes(), 3 * once.activation_bytes());
  EXPECT_DOUBLE_EQ(thrice.weight_bytes_read, once.weight_bytes_read);
  EXPECT_DOUBLE_EQ(once.flops, 2.0 * (64 * 4 / 4) * 3 * 512 * (256 / 2));
  EXPECT_DOUBLE_EQ(once.weight_bytes_read, 8.0 * 3 * 512 * 128 * 2);
}

TEST(Moe, FewTokensTouchFewExperts) {
  Moe op{.tokens = 1, .hidden = 512, .inter = 256, .topk = 4, .experts = 32};
  const double per_expert = 3.0 * 512 * 256 * 2;
  EXPECT_DOUBLE_EQ(op.work().weight_bytes_read, 4 * per_expert);
  op.tokens = 3;
  EXPECT_DOUBLE_EQ(op.work().weight_bytes_read, 12 * per_expert);
  op.ep = 8;  // rank 0 holds experts 0-3: one choice of two of the three tokens
  EXPECT_DOUBLE_EQ(op.work().weight_bytes_read, 2 * per_expert);
  op.distribution = Symbol("power_law_1.2");
  EXPECT_GE(op.work().weight_bytes_read, per_expert);
}

TEST(Moe, UngatedExpertsHaveTwoMatrices) {
  const Moe gated{.tokens = 64, .hidden = 512, .inter = 256, .topk = 4, .experts = 8};
  Moe plain = gated;
  plain.gated = false;
  EXPECT_DOUBLE_EQ(plain.work().flops * 3, gated.work().flops * 2);
  EXPECT_DOUBLE_EQ(plain.work().weight_bytes_read * 3, gated.work().weight_bytes_read * 2);
}

TEST(Moe, ModelGridSweepsTokensAndLoads) {
  ModelShapes shapes;
  const OpType type = make_op_type<Moe>();
  shapes.add(make_case(type, Moe{.hidden = 2048, .inter = 768, .topk = 8, .experts = 128, .ep = 4}));
  std::set<FieldValues> distinct;
  std::set<std::string_view> distributions;
  Moe::model_cases(shapes, [&](const Moe& op) {
    EXPECT_EQ(op.why_invalid(), "");
    EXPECT_EQ(op.ep, 4);
    distinct.insert(encode(op));
    distributions.insert(op.distribution.text());
  });
  EXPECT_THAT(distributions, ElementsAre("balanced", "power_law_1.01", "power_law_1.2"));
  EXPECT_EQ(distinct.size(), 3 * std::size(kTokenLadder));
}

/// Two experts of one feature and one intermediate feature each, by hand.
TEST(MoeReference, IsTheWeightedSumOfTheChosenExperts) {
  Moe op{.dtype = Quant::f32, .topk = 2, .experts = 2};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
  data[moe_x_at].values = {2};
  data[moe_logits_at].values = {0, std::log(3.0F)};
  data[moe_w13_at].values = {1, 3, -1, 1};  // gate, up of expert 0; of expert 1
  data[moe_w2_at].values = {5, 7};
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  op.reference(data);
  EXPECT_FLOAT_EQ(data[moe_out_at].values[0], float(0.25 * 5 * silu(2) * 6 + 0.75 * 7 * silu(-2) * 2));
  op.topk = 1;
  op.reference(data);
  EXPECT_FLOAT_EQ(data[moe_out_at].values[0], float(7 * silu(-2) * 2));
  op.gated = false, op.topk = 2;
  data[moe_w13_at].values = {3, -1};
  op.reference(data);
  EXPECT_FLOAT_EQ(data[moe_out_at].values[0], float(0.25 * 5 * 36));  // relu(-2) = 0
  op.ep = 2, op.topk = 1;  // the better expert is on the other rank
  op.reference(data);
  EXPECT_FLOAT_EQ(data[moe_out_at].values[0], 0);
}

}  // namespace
}  // namespace perfatlas
