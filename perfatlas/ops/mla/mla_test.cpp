// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla/mla.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace perfatlas {
namespace {

template <class Op>
std::vector<Op> published(const AicGrid& grid) {
  std::vector<Op> cases;
  Op::aic_cases(grid, [&](const Op& op) { cases.push_back(op); });
  return cases;
}

template <class Op>
bool all_valid_and_distinct(const std::vector<Op>& cases) {
  std::set<FieldValues> seen;
  return std::all_of(cases.begin(), cases.end(), [&](const Op& op) {
    return op.why_invalid().empty() && seen.insert(encode(op)).second;
  });
}

TEST(MlaContext, PublishedGridHasTheKnownCounts) {
  using enum AicFramework;
  EXPECT_EQ(published<MlaContext>({90, trtllm}).size(), 1760);
  EXPECT_EQ(published<MlaContext>({100, trtllm}).size(), 1760);
  EXPECT_EQ(published<MlaContext>({80, trtllm}).size(), 1760 / 2);  // no fp8 cache
  EXPECT_EQ(published<MlaContext>({90, sglang}).size(), 3080);
  EXPECT_EQ(published<MlaContext>({100, sglang}).size(), 3080);
  EXPECT_EQ(published<MlaContext>({89, sglang}).size(), 0);
  EXPECT_EQ(published<MlaContext>({90, vllm}).size(), 0);
  EXPECT_TRUE(all_valid_and_distinct(published<MlaContext>({90, sglang})));
}

TEST(MlaGeneration, PublishedGridHasTheKnownCounts) {
  using enum AicFramework;
  EXPECT_EQ(published<MlaGeneration>({90, trtllm}).size(), 2896);
  EXPECT_EQ(published<MlaGeneration>({100, trtllm}).size(), 2896);
  EXPECT_EQ(published<MlaGeneration>({90, sglang}).size(), 4648);
  EXPECT_EQ(published<MlaGeneration>({100, sglang}).size(), 4648);
  EXPECT_TRUE(all_valid_and_distinct(published<MlaGeneration>({90, sglang})));
}

TEST(Mla, ColumnsAreThoseOfPublishedTables) {
  const OpType context = make_op_type<MlaContext>(), generation = make_op_type<MlaGeneration>();
  EXPECT_EQ(
      fields_text(make_case<MlaContext>(context, {.heads = 8, .batch = 16, .isl = 1536, .tp = 16})),
      "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=8 batch_size=16 isl=1536 tp_size=16 step=0");
  EXPECT_EQ(
      fields_text(make_case<MlaGeneration>(
          generation, {.kv_dtype = DType::fp8_e4m3, .heads = 32, .batch = 1024, .tp = 4, .step = 2047})),
      "mla_dtype=bfloat16 kv_cache_dtype=fp8 num_heads=32 batch_size=1024 isl=1 tp_size=4 step=2047");
}

TEST(MlaContext, WorkOfASmallCaseByHand) {
  // 3 new tokens after 2 cached ones see 3, 4 and 5 tokens.
  const Work work = MlaContext{.heads = 4, .batch = 2, .isl = 3, .step = 2}.work();
  EXPECT_EQ(work.flops, 2.0 * (192 + 128) * 2 * 4 * (3 + 4 + 5));
  EXPECT_EQ(work.kv_bytes_read, 0);  // keys and values come expanded
  EXPECT_EQ(work.kv_bytes_written, 2.0 * 3 * 576 * 2);
  EXPECT_EQ(work.activation_bytes_read,
            2.0 * 2 * (3 * 4 * 192 + 5 * 4 * (192 + 128) + 3 * 576) + 2 * 4);  // and one page number each
  EXPECT_EQ(work.bytes_written, 2.0 * 3 * 4 * 128 * 2);
}

TEST(MlaGeneration, WorkOfASmallCaseByHand) {
  const Work work = MlaGeneration{.kv_dtype = DType::fp8_e4m3, .heads = 16, .batch = 3, .step = 100}.work();
  EXPECT_EQ(work.flops, 2.0 * (576 + 512) * 3 * 16 * 101);
  EXPECT_EQ(work.kv_bytes_read, 3.0 * 100 * 576);  // shared by all heads
  EXPECT_EQ(work.kv_bytes_written, 3.0 * 576);
  EXPECT_EQ(work.activation_bytes_read, 3.0 * 2 * (16 * 576 + 576) + 3 * 2 * 4);
  EXPECT_EQ(work.bytes_written, 3.0 * 16 * 512 * 2);
}

RC_GTEST_PROP(MlaGeneration, TheCacheIsReadOnceForAllHeads, ()) {
  MlaGeneration op{.heads = *rc::gen::inRange<int64_t>(1, 64), .batch = *rc::gen::inRange<int64_t>(1, 64)};
  op.step = *rc::gen::inRange<int64_t>(0, 4096);
  MlaGeneration twice = op;
  twice.heads *= 2;
  RC_ASSERT(twice.work().kv_bytes_read == op.work().kv_bytes_read);
  RC_ASSERT(twice.work().flops == 2 * op.work().flops);
}

RC_GTEST_PROP(MlaContext, EqualTokensAreNotEqualWork, ()) {
  // The axis decision: the same number of tokens in fewer, longer sequences is more arithmetic.
  MlaContext op{.heads = 16, .batch = 2 * *rc::gen::inRange<int64_t>(1, 16)};
  op.isl = *rc::gen::inRange<int64_t>(1, 2048);
  MlaContext longer = op;
  longer.batch /= 2, longer.isl *= 2;
  RC_ASSERT(longer.work().flops > op.work().flops);
}

TEST(Mla, OperandsAreThoseOfTheAbsorbedAndOfTheExpandedForm) {
  using testing::ElementsAre;
  const Operands generation = MlaGeneration{.heads = 16, .batch = 3, .step = 64}.operands();
  EXPECT_THAT(generation[MlaGeneration::q_at].shape, ElementsAre(3, 16, 576));
  EXPECT_THAT(generation[MlaGeneration::latent_at].shape, ElementsAre(3, 576));
  EXPECT_THAT(generation[MlaGeneration::cache_at].shape, ElementsAre(6, 64, 576));
  EXPECT_THAT(generation[MlaGeneration::page_table_at].shape, ElementsAre(3, 2));
  EXPECT_THAT(generation[MlaGeneration::out_at].shape, ElementsAre(3, 16, 512));
  const Operands context = MlaContext{.heads = 4, .batch = 2, .isl = 10, .step = 60}.operands();
  EXPECT_THAT(context[MlaContext::q_at].shape, ElementsAre(20, 4, 192));
  EXPECT_THAT(context[MlaContext::k_at].shape, ElementsAre(140, 4, 192));
  EXPECT_THAT(context[MlaContext::v_at].shape, ElementsAre(140, 4, 128));
  EXPECT_THAT(context[MlaContext::cache_at].shape, ElementsAre(4, 64, 576));
  EXPECT_THAT(context[MlaContext::out_at].shape, ElementsAre(20, 4, 128));
  EXPECT_EQ(context[MlaContext::cache_at].role, OperandRole::kv);
}

TEST(Mla, SenselessCasesSayWhy) {
  EXPECT_NE(MlaContext{.heads = 0}.why_invalid(), "");
  EXPECT_NE(MlaContext{.step = -1}.why_invalid(), "");
  EXPECT_NE(MlaContext{.dtype = DType::int4}.why_invalid(), "");
  EXPECT_NE(MlaContext{.tp = 0}.why_invalid(), "");
  EXPECT_NE(MlaGeneration{.isl = 2}.why_invalid(), "");
  EXPECT_EQ(MlaGeneration{.step = 0}.why_invalid(), "");
}

TEST(Mla, ModelGridsKeepTheHeadsWithinTheTokenBudgets) {
  const OpType context = make_op_type<MlaContext>(), generation = make_op_type<MlaGeneration>();
  ModelShapes shapes;
  shapes.add(make_case(context, MlaContext{.heads = 16, .tp = 8}));
  shapes.add(make_case(generation, MlaGeneration{.heads = 16, .tp = 8}));
  size_t contexts = 0, generations = 0;
  MlaContext::model_cases(shapes, [&](const MlaContext& op) {
    ++contexts;
    EXPECT_TRUE(op.heads == 16 && op.tp == 8 && op.batch * op.isl <= 65536) << op.batch << " " << op.isl;
  });
  MlaGeneration::model_cases(shapes, [&](const MlaGeneration& op) {
    ++generations;
    EXPECT_TRUE(op.heads == 16 && op.tp == 8 && op.step > 0);
  });
  EXPECT_GT(contexts, 50U);
  EXPECT_EQ(generations, std::size(kBatchLadder) * (std::size(kSequenceLadder) - 1));
}

/// Content that is zero except where a test writes.
template <class Op>
std::vector<HostOperand> zeros(const Op& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands())
    data.push_back({operand, std::vector<float>(size_t(operand.elements()), 0.0F), {0}});
  return data;
}

TEST(MlaReference, ScoresAreScaledByTheWidthOfAKeyAndValuesAreTheLatentPart) {
  // One cached token with score 0 and a new one with score ln 3: weights 1/4 and 3/4.
  const MlaGeneration op{.dtype = DType::f32, .kv_dtype = DType::f32, .heads = 1, .step = 1};
  auto data = zeros(op);
  data[MlaGeneration::q_at].values[575] = 1;  // rotated part
  data[MlaGeneration::latent_at].values[575] = float(std::log(3.0) * std::sqrt(192.0));
  data[MlaGeneration::latent_at].values[511] = 8;
  data[MlaGeneration::cache_at].values[511] = 4;
  op.reference(data);
  EXPECT_FLOAT_EQ(data[MlaGeneration::out_at].values[511], 0.25F * 4 + 0.75F * 8);
  EXPECT_EQ(data[MlaGeneration::cache_at].values[576 + 511], 8);  // the new token is in the cache
  EXPECT_EQ(data[MlaGeneration::cache_at].values[2 * 576 + 511], 0);
}

/// The identity that absorption rests on: with k = [latent W_k, rope] and v = latent W_v, attention over expanded keys
/// and values equals absorbed attention followed by W_v (DeepSeek-V2, arXiv:2405.04434, section 2.1.2).
TEST(MlaReference, AbsorbedDecodeEqualsExpandedPrefillOfTheLastToken) {
  constexpr size_t kTokens = 5;
  const MlaContext context{
      .dtype = DType::f32, .kv_dtype = DType::f32, .heads = 1, .isl = 1, .step = kTokens - 1};
  const MlaGeneration generation{
      .dtype = DType::f32, .kv_dtype = DType::f32, .heads = 1, .step = kTokens - 1};
  auto expanded = zeros(context);
  auto absorbed = zeros(generation);
  unsigned state = 1;
  const auto random = [&] {
    return float((state = state * 1664525U + 1013904223U) >> 8) / float(1 << 23) - 1;
  };
  std::vector<float> up_key(128 * 512), up_value(128 * 512), latent(kTokens * 576), q(192);
  for (auto* values : {&up_key, &up_value, &latent, &q})
    for (float& value : *values) value = random() * 0.2F;
  const auto project = [&](const std::vector<float>& up, const float* row, float* out) {
    for (size_t i = 0; i < 128; ++i) {
      double sum = 0;
      for (size_t j = 0; j < 512; ++j) sum += double(up[i * 512 + j]) * double(row[j]);
      out[i] = float(sum);
    }
  };
  for (size_t token = 0; token < kTokens; ++token) {
    const float* row = &latent[token * 576];
    project(up_key, row, &expanded[MlaContext::k_at].values[token * 192]);
    std::copy_n(row + 512, 64, &expanded[MlaContext::k_at].values[token * 192 + 128]);
    project(up_value, row, &expanded[MlaContext::v_at].values[token * 128]);
  }
  expanded[MlaContext::q_at].values = q;
  std::copy_n(latent.begin(), (kTokens - 1) * 576, absorbed[MlaGeneration::cache_at].values.begin());
  std::copy_n(latent.end() - 576, 576, absorbed[MlaGeneration::latent_at].values.begin());
  for (size_t j = 0; j < 512; ++j)
    for (size_t i = 0; i < 128; ++i) absorbed[MlaGeneration::q_at].values[j] += q[i] * up_key[i * 512 + j];
  std::copy_n(q.begin() + 128, 64, absorbed[MlaGeneration::q_at].values.begin() + 512);
  context.reference(expanded);
  generation.reference(absorbed);
  std::vector<float> out(128);
  project(up_value, absorbed[MlaGeneration::out_at].values.data(), out.data());
  for (size_t i = 0; i < 128; ++i) EXPECT_NEAR(out[i], expanded[MlaContext::out_at].values[i], 1e-5) << i;
}

}  // namespace
}  // namespace perfatlas
