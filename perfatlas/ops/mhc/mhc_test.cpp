// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mhc/mhc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

std::vector<Mhc> published(AicFramework framework) {
  std::vector<Mhc> cases;
  Mhc::aic_cases({.framework = framework}, [&](const Mhc& op) { cases.push_back(op); });
  return cases;
}

/// Operands without content but for made-up inputs.
std::vector<HostOperand> made_up(const Mhc& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) {
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
    if (operand.role == OperandRole::output) continue;
    for (size_t i = 0; i < data.back().values.size(); ++i)
      data.back().values[i] = std::sin(float(i * (data.size() + 2) + data.size()));
  }
  return data;
}

TEST(Mhc, PublishedGridHasTheKnownCount) {
  EXPECT_EQ(published(AicFramework::trtllm).size(), 140);
  EXPECT_EQ(published(AicFramework::vllm).size(), 140);
}

TEST(Mhc, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<Mhc>();
  EXPECT_EQ(
      fields_text({&type, type.defaults()}),
      "op_name=pre architecture=DeepseekV4ForCausalLM num_tokens=1 num_sites=2 hc_mult=4 hidden_size=4096 "
      "sinkhorn_iters=20");
}

TEST(Mhc, TokenEquivalentWorkIsAConstantPlusAMultipleOfTheTokens) {
  for (const MhcDirection direction : {MhcDirection::pre, MhcDirection::post}) {
    const auto work = [&](int64_t tokens) { return Mhc{.direction = direction, .tokens = tokens}.work(); };
    for (const auto& part : {&Work::flops, &Work::activation_bytes_read, &Work::bytes_written}) {
      EXPECT_GT(work(1).*part, 0);
      EXPECT_DOUBLE_EQ(work(300).*part, 300 * (work(1).*part));
    }
    EXPECT_EQ(work(300).weight_bytes_read, work(1).weight_bytes_read);
  }
}

TEST(Mhc, WorkOfASmallCaseByHand) {
  const Mhc op{.tokens = 3, .sites = 1, .hc = 2, .hidden = 8, .sinkhorn = 5};
  EXPECT_EQ(op.mix(), 8);
  EXPECT_EQ(op.work().flops, 3.0 * (2 * 16 * 8 + 3 * 16 + (4 + 4) * 5 + 2 * 16));
  EXPECT_EQ(op.work().weight_bytes_read, 2.0 * 8 * 16 + 4 * (8 + 3));
}

TEST(Mhc, MixingMatrixIsDoublyStochastic) {
  const Mhc op{.tokens = 3, .hc = 4, .hidden = 16};
  std::vector<HostOperand> data = made_up(op);
  op.reference(data);
  const std::vector<float>&post = data[5].values, &res = data[6].values;
  for (size_t row = 0; row < size_t(op.sites * op.tokens); ++row)
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_GT(post[row * 4 + i], 0);
      EXPECT_LT(post[row * 4 + i], 2);
      double in_row = 0, in_column = 0;
      for (size_t j = 0; j < 4; ++j) {
        in_row += double(res[(row * 4 + i) * 4 + j]);
        in_column += double(res[(row * 4 + j) * 4 + i]);
      }
      EXPECT_NEAR(in_row, 1, 1e-6);
      EXPECT_NEAR(in_column, 1, 1e-3);  // rows were divided last
    }
}

TEST(Mhc, ZeroMixingWeightsGivePlainAverages) {
  const Mhc op{.tokens = 1, .sites = 1, .hc = 2, .hidden = 2};
  std::vector<HostOperand> data = made_up(op);
  data[0].values = {1, 2, 3, 4};
  data[2].values = {0, 0, 0};  // scale
  std::fill(data[3].values.begin(), data[3].values.end(), 0.0F);
  op.reference(data);
  EXPECT_THAT(data[4].values,
              testing::Pointwise(testing::FloatEq(), {2.0F, 3.0F}));  // sigmoid(0) of each stream
  EXPECT_THAT(data[5].values, testing::Each(testing::FloatEq(1)));
  EXPECT_THAT(data[6].values, testing::Each(testing::FloatEq(0.5F)));
}

TEST(Mhc, PostMixesStreamsAndAddsTheSubLayer) {
  const Mhc op{.direction = MhcDirection::post, .tokens = 1, .sites = 1, .hc = 2, .hidden = 1};
  std::vector<HostOperand> data = made_up(op);
  data[0].values = {10, 20};
  data[1].values = {1};
  data[2].values = {2, 3};
  data[3].values = {1, 0, 0.5, 0.5};
  op.reference(data);
  EXPECT_THAT(data[4].values, testing::ElementsAre(12, 18));
}

TEST(Mhc, SenselessCasesSayWhy) {
  EXPECT_EQ(Mhc{}.why_invalid(), "");
  EXPECT_NE(Mhc{.tokens = 0}.why_invalid(), "");
  EXPECT_NE(Mhc{.sinkhorn = 0}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
