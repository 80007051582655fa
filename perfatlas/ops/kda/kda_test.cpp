// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/kda/kda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {
namespace {

Kda sized(std::string_view kernel, KdaPhase phase, int64_t batch, int64_t seq) {
  Kda op{.kernel = Symbol(kernel), .phase = phase, .k_heads = 2, .k_dim = 5, .v_heads = 2, .v_dim = 3};
  op.batch = batch;
  Kda::set_seq(op, seq);
  return op;
}

std::vector<HostOperand> made_up(const Kda& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) {
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
    if (operand.role == OperandRole::output) continue;
    for (size_t i = 0; i < data.back().values.size(); ++i)
      data.back().values[i] = std::sin(float(i * (data.size() + 2) + data.size()));
    if (operand.fill == Fill::custom) operand.content(1, data.back());
  }
  return data;
}

TEST(Kda, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<Kda>();
  EXPECT_EQ(
      fields_text({&type, type.defaults()}),
      "kernel_source=causal_conv1d_fn_qkv3 phase=context batch_size=1 seq_len=1 num_tokens=1 d_model=7168 "
      "d_conv=4 num_k_heads=96 head_k_dim=128 num_v_heads=96 head_v_dim=128 model_name=");
}

/// A prompt is the same as its tokens one after the other.
TEST(Kda, PromptEqualsItsTokensOneByOne) {
  const Kda prompt = sized(Kda::kChunkRule, KdaPhase::context, 1, 4),
            token = sized(Kda::kDecode, KdaPhase::generation, 1, 1);
  std::vector<HostOperand> whole = made_up(prompt), step = made_up(token);
  prompt.reference(whole);
  std::fill(step[5].values.begin(), step[5].values.end(), 0.0F);
  for (size_t t = 0; t < 4; ++t) {
    for (size_t i = 0; i < 5; ++i) {
      const size_t width = step[i].values.size();
      std::copy_n(whole[i].values.begin() + ptrdiff_t(t * width), width, step[i].values.begin());
    }
    token.reference(step);
    for (size_t i = 0; i < step[6].values.size(); ++i)
      EXPECT_NEAR(step[6].values[i], whole[6].values[t * step[6].values.size() + i], 1e-5);
  }
  for (size_t i = 0; i < step[5].values.size(); ++i) EXPECT_NEAR(step[5].values[i], whole[5].values[i], 1e-5);
}

TEST(Kda, VerifyKeepsEveryStateAndLeavesTheFirst) {
  const Kda verify = sized(Kda::kVerify, KdaPhase::verify, 2, 2),
            token = sized(Kda::kDecode, KdaPhase::generation, 2, 1);
  std::vector<HostOperand> drafts = made_up(verify), step = made_up(token);
  const std::vector<float> before = drafts[5].values;
  verify.reference(drafts);
  EXPECT_EQ(drafts[5].values, before);
  step[5].values = before;
  for (size_t i = 0; i < 5; ++i)  // the first draft token of each sequence
    for (size_t sequence = 0; sequence < 2; ++sequence) {
      const auto width = ptrdiff_t(step[i].values.size() / 2);
      std::copy_n(drafts[i].values.begin() + 2 * ptrdiff_t(sequence) * width, width,
                  step[i].values.begin() + ptrdiff_t(sequence) * width);
    }
  token.reference(step);
  const size_t state = step[5].values.size() / 2;
  for (size_t i = 0; i < state; ++i) {
    EXPECT_FLOAT_EQ(drafts[6].values[i], step[5].values[i]);
    EXPECT_FLOAT_EQ(drafts[6].values[2 * state + i], step[5].values[state + i]);
  }
}

TEST(Kda, OneDecayForAllKeyChannelsIsTheGatedDeltaRule) {
  const Kda op = sized(Kda::kDecode, KdaPhase::generation, 3, 1);
  const Gdn gdn{.kernel = Symbol(Gdn::kRecurrentRule),
                .phase = LinearPhase::generation,
                .batch = 3,
                .tokens = 3,
                .k_heads = 2,
                .k_dim = 5,
                .v_heads = 2,
                .v_dim = 3};
  std::vector<HostOperand> data = made_up(op), expected = data;
  expected[3].values.resize(3 * 2);
  for (size_t i = 0; i < data[3].values.size(); ++i)
    data[3].values[i] = expected[3].values[i / 5] = -0.1F * float(1 + i / 5);
  op.reference(data);
  gdn.reference(expected);
  EXPECT_THAT(data[5].values, testing::Pointwise(testing::FloatEq(), expected[5].values));
  EXPECT_THAT(data[6].values, testing::Pointwise(testing::FloatEq(), expected[6].values));
}

TEST(Kda, EverySubKernelHasOperandsAndWork) {
  for (const std::string_view kernel : Kda::kSubKernels) {
    Kda op = sized(kernel, KdaPhase::context, 2, 1);
    for (const KdaPhase phase : {KdaPhase::context, KdaPhase::generation, KdaPhase::verify}) {
      op.phase = phase;
      if (op.why_invalid().empty()) break;
    }
    EXPECT_EQ(op.why_invalid(), "") << kernel;
    EXPECT_FALSE(op.operands().empty()) << kernel;
    EXPECT_GT(op.work().bytes(), 0) << kernel;
  }
}

TEST(Kda, WorkCountsTheStatesOfDrafts) {
  const Kda verify = sized(Kda::kVerify, KdaPhase::verify, 3, 4);
  const double state = 4.0 * 3 * 2 * 5 * 3;
  EXPECT_EQ(verify.work().kv_bytes_read, state);
  EXPECT_EQ(verify.work().kv_bytes_written, 0);
  EXPECT_EQ(verify.work().bytes_written, 4 * state + 2.0 * 12 * 2 * 3);
}

TEST(Kda, SenselessCasesSayWhy) {
  EXPECT_EQ(Kda{}.why_invalid(), "");
  EXPECT_NE((Kda{.tokens = 2}).why_invalid(), "");
  EXPECT_NE((Kda{.k_heads = 48}).why_invalid(), "");
  EXPECT_NE((Kda{.kernel = Symbol(Kda::kDecode)}).why_invalid(), "");
  EXPECT_NE(sized(Kda::kDecode, KdaPhase::generation, 1, 2).why_invalid(), "");
  EXPECT_EQ(sized("flashkda_fwd", KdaPhase::context, 1, 2).why_invalid(), "");
  EXPECT_TRUE(sized("flashkda_fwd", KdaPhase::context, 1, 2).operands().empty());
}

}  // namespace
}  // namespace perfatlas
