// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gdn/gdn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace perfatlas {
namespace {

Gdn sized(std::string_view kernel, LinearPhase phase, int64_t batch, int64_t seq) {
  Gdn op{.kernel = Symbol(kernel), .phase = phase};
  op.batch = batch;
  Gdn::set_seq(op, seq);
  return op;
}

Gdn small(std::string_view kernel, LinearPhase phase, int64_t batch, int64_t seq) {
  Gdn op = sized(kernel, phase, batch, seq);
  op.k_heads = 2, op.v_heads = 4, op.k_dim = 5, op.v_dim = 3;
  return op;
}

std::vector<HostOperand> made_up(const Gdn& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) {
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
    for (size_t i = 0; i < data.back().values.size(); ++i)
      data.back().values[i] = std::sin(float(i * (data.size() + 2) + data.size()));
    if (operand.fill == Fill::custom) operand.content(1, data.back());
  }
  return data;
}

TEST(Gdn, PublishedGridIs74SweepsOf9102Rows) {
  std::set<FieldValues> cases;
  std::set<std::tuple<int64_t, int64_t, int64_t, LinearPhase>> sweeps;
  size_t rows = 0;
  Gdn::aic_cases({}, [&](const Gdn& op) {
    EXPECT_EQ(op.why_invalid(), "");
    sweeps.insert({op.d_model, op.k_heads, op.v_heads, op.phase});
    cases.insert(encode(op));
    ++rows;
  });
  EXPECT_EQ(sweeps.size(), 74);
  EXPECT_EQ(rows, 37 * (2 * 7 * 16 + 2 * 11));
  EXPECT_EQ(cases.size(), rows);
}

TEST(Gdn, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<Gdn>();
  Gdn op = sized(Gdn::kChunkRule, LinearPhase::context, 8, 4);
  op.d_model = 2560;
  op.model = Symbol("Qwen/Qwen3.5-4B");
  EXPECT_EQ(
      fields_text(make_case(type, op)),
      "kernel_source=chunk_gated_delta_rule phase=context batch_size=8 seq_len=4 num_tokens=32 d_model=2560 "
      "d_conv=4 num_k_heads=16 head_k_dim=128 num_v_heads=32 head_v_dim=128 model_name=Qwen/Qwen3.5-4B");
}

TEST(Gdn, RuleWorkOfTwoChunksByHand) {
  const Gdn op = small(Gdn::kChunkRule, LinearPhase::context, 3, 66);
  // Chunks of 64 and 2 tokens; a state of 4 * 5 * 3; keys and queries of the second read what the first left.
  const double pairs = 64 * 65 / 2 + 3, state = 4 * 5 * 3;
  EXPECT_EQ(op.work().flops, 3 * (2 * pairs * 2 * (2 * 5 + 4 * 3) + 2 * 66 * state + 2 * 2 * 2 * state));
  EXPECT_EQ(op.work().kv_bytes_written, 3 * state * 4);
  EXPECT_EQ(op.work().kv_bytes_read, 0);
  EXPECT_EQ(op.work().activation_bytes_read, 3.0 * 66 * (2 * (2 * 2 * 5 + 4 * 3) + 6 * 4));
}

TEST(Gdn, EqualTokensAreNotEqualWork) {
  const Work one = sized(Gdn::kChunkRule, LinearPhase::context, 1, 4096).work(),
             many = sized(Gdn::kChunkRule, LinearPhase::context, 64, 64).work();
  EXPECT_EQ(one.activation_bytes(), many.activation_bytes());
  EXPECT_EQ(many.kv_bytes_written, 64 * one.kv_bytes_written);
  EXPECT_GT(one.flops, 2 * many.flops);
}

TEST(Gdn, GenerationReadsAndWritesItsState) {
  const Work work = sized(Gdn::kRecurrentRule, LinearPhase::generation, 7, 1).work();
  EXPECT_EQ(work.kv_bytes_read, 7.0 * 32 * 128 * 128 * 4);
  EXPECT_EQ(work.kv_bytes_written, work.kv_bytes_read);
}

TEST(Gdn, PromptEqualsItsTokensOneByOne) {
  const Gdn prompt = small(Gdn::kChunkRule, LinearPhase::context, 1, 4),
            token = small(Gdn::kRecurrentRule, LinearPhase::generation, 1, 1);
  std::vector<HostOperand> whole = made_up(prompt), step = made_up(token);
  prompt.reference(whole);
  std::fill(step[5].values.begin(), step[5].values.end(), 0.0F);
  for (size_t t = 0; t < 4; ++t) {
    for (size_t i = 0; i < 5; ++i) {
      const size_t width = step[i].values.size();
      std::copy_n(whole[i].values.begin() + ptrdiff_t(t * width), width, step[i].values.begin());
    }
    token.reference(step);
    for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(step[6].values[i], whole[6].values[t * 12 + i], 1e-5);
  }
  for (size_t i = 0; i < step[5].values.size(); ++i) EXPECT_NEAR(step[5].values[i], whole[5].values[i], 1e-5);
}

/// The delta rule: what was written under a key with full strength is read back under it, and written anew it replaces.
TEST(Gdn, AWrittenValueIsReadBackAndReplaced) {
  Gdn op = small(Gdn::kChunkRule, LinearPhase::context, 1, 2);
  op.k_heads = op.v_heads = 1, op.k_dim = 4, op.v_dim = 2;
  std::vector<HostOperand> data = made_up(op);
  data[0].values = {0, 3, 0, 0, 0, 5, 0, 0};  // queries along the key; their length does not count
  data[1].values = {0, 2, 0, 0, 0, 1, 0, 0};
  data[2].values = {1, 2, -7, 9};
  data[3].values = {0, 0};
  data[4].values = {1, 1};
  op.reference(data);
  EXPECT_THAT(data[6].values,
              testing::Pointwise(testing::FloatNear(1e-5F), {0.5F, 1.0F, -3.5F, 4.5F}));  // 1/sqrt(4)
}

TEST(Gdn, ModelGridSweepsBatchAndLength) {
  const OpType type = make_op_type<Gdn>();
  ModelShapes shapes;
  shapes.add(make_case(type, sized(Gdn::kChunkRule, LinearPhase::context, 1, 2)));
  std::set<int64_t> lengths, batches;
  Gdn::model_cases(shapes, [&](const Gdn& op) {
    EXPECT_EQ(op.why_invalid(), "");
    EXPECT_LE(op.tokens, kLinearMostTokens);
    lengths.insert(op.seq), batches.insert(op.batch);
  });
  EXPECT_THAT(lengths, testing::ElementsAreArray(kSequenceLadder));
  EXPECT_THAT(batches, testing::ElementsAreArray(kBatchLadder));
}

TEST(Gdn, SenselessCasesSayWhy) {
  EXPECT_EQ(Gdn{}.why_invalid(), "");
  EXPECT_EQ((Gdn{.tokens = 2}).why_invalid(), "num_tokens must be batch_size * seq_len");
  EXPECT_EQ((Gdn{.v_heads = 24}).why_invalid(), "num_k_heads must divide num_v_heads");
  EXPECT_NE((Gdn{.d_conv = 1}).why_invalid(), "");
  EXPECT_NE((Gdn{.kernel = Symbol()}).why_invalid(), "");
  EXPECT_EQ((Gdn{.kernel = Symbol(Gdn::kRecurrentRule)}).why_invalid(),
            "kernel_source belongs to the other phase");
  EXPECT_EQ(sized(Gdn::kConvUpdate, LinearPhase::generation, 1, 2).why_invalid(),
            "seq_len must be 1 in generation");
}

TEST(Gdn, OtherPublishedDecodeKernelsAreReadAndChargedAlike) {
  const Gdn packed = sized("fused_recurrent_gated_delta_rule_packed_decode", LinearPhase::generation, 4, 1);
  EXPECT_EQ(packed.why_invalid(), "");
  EXPECT_TRUE(packed.operands().empty());
  EXPECT_EQ(packed.work().bytes(), sized(Gdn::kRecurrentRule, LinearPhase::generation, 4, 1).work().bytes());
}

}  // namespace
}  // namespace perfatlas
