// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/mamba2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace perfatlas {
namespace {

using testing::Each;
using testing::ElementsAreArray;

Mamba2 sized(std::string_view kernel, LinearPhase phase, int64_t batch, int64_t seq) {
  Mamba2 op{.kernel = Symbol(kernel), .phase = phase};
  op.batch = batch;
  Mamba2::set_seq(op, seq);
  return op;
}

Mamba2 small(std::string_view kernel, LinearPhase phase, int64_t batch, int64_t seq) {
  Mamba2 op = sized(kernel, phase, batch, seq);
  op.heads = 4, op.groups = 2, op.head_dim = 3, op.d_state = 5;
  return op;
}

std::vector<HostOperand> made_up(const Mamba2& op) {
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) {
    data.push_back({operand, std::vector<float>(size_t(operand.elements())), {}});
    for (size_t i = 0; i < data.back().values.size(); ++i)
      data.back().values[i] = std::sin(float(i * (data.size() + 2) + data.size()));
  }
  return data;
}

TEST(Mamba2, PublishedGridIsEightSweepsOf984Rows) {
  std::map<std::pair<int64_t, LinearPhase>, int> sweeps;  // a shape is known by its heads, d_model and chunk
  std::set<FieldValues> cases;
  std::set<std::string_view> kernels;
  Mamba2::aic_cases({}, [&](const Mamba2& op) {
    EXPECT_EQ(op.why_invalid(), "");
    ++sweeps[{op.d_model, op.phase}];
    cases.insert(encode(op));
    kernels.insert(op.kernel.text());
  });
  EXPECT_EQ(sweeps.size(), 4 * 2);
  EXPECT_EQ(cases.size(), 4 * (2 * 7 * 16 + 2 * 11));
  EXPECT_EQ(kernels, std::set(std::begin(Mamba2::kSubKernels), std::end(Mamba2::kSubKernels)));
  for (const auto& [sweep, rows] : sweeps)
    EXPECT_EQ(rows, sweep.second == LinearPhase::context ? 2 * 7 * 16 : 2 * 11);
}

TEST(Mamba2, OnlyOneFrameworkPublishesTheSweep) {
  int cases = 0;
  for (const AicFramework other : {AicFramework::vllm, AicFramework::sglang})
    Mamba2::aic_cases({.framework = other}, [&](const Mamba2&) { ++cases; });
  EXPECT_EQ(cases, 0);
}

TEST(Mamba2, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<Mamba2>();
  Mamba2 op = sized(Mamba2::kConvFn, LinearPhase::context, 16, 2048);
  op.d_model = 2688, op.heads = 64;
  op.model = Symbol("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16");
  EXPECT_EQ(
      fields_text(make_case(type, op)),
      "kernel_source=causal_conv1d_fn phase=context batch_size=16 seq_len=2048 num_tokens=32768 d_model=2688 "
      "d_state=128 d_conv=4 nheads=64 head_dim=64 n_groups=8 chunk_size=128 "
      "model_name=nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16");
}

TEST(Mamba2, AxesKeepTheTokenCount) {
  const OpType type = make_op_type<Mamba2>();
  FieldValues values = encode(sized(Mamba2::kConvFn, LinearPhase::context, 2, 8));
  type.axes[1].set(values, 32);
  EXPECT_EQ(decode<Mamba2>(values).tokens, 64);
  type.axes[0].set(values, 3);
  EXPECT_EQ(decode<Mamba2>(values).tokens, 96);
  EXPECT_EQ(type.why_invalid(values), "");
}

TEST(Mamba2, ConvolutionWorkOfASmallCaseByHand) {
  const Mamba2 prompt = small(Mamba2::kConvFn, LinearPhase::context, 2, 10);
  const double channels = 4 * 3 + 2 * 2 * 5;
  EXPECT_EQ(prompt.work().flops, 2 * 20 * channels * 4);
  EXPECT_EQ(prompt.work().activation_bytes(), 2 * 2 * 20 * channels);
  EXPECT_EQ(prompt.work().weight_bytes_read, 2 * channels * 5);
  EXPECT_EQ(prompt.work().kv_bytes_read, 0);
  EXPECT_EQ(prompt.work().kv_bytes_written, 2 * 2 * 3 * channels);
  const Mamba2 token = small(Mamba2::kConvUpdate, LinearPhase::generation, 2, 1);
  EXPECT_EQ(token.work().kv_bytes_read, token.work().kv_bytes_written);
  EXPECT_EQ(token.work().activation_bytes() * 10, prompt.work().activation_bytes());
}

TEST(Mamba2, ScanWorkOfTwoChunksByHand) {
  Mamba2 op = small(Mamba2::kChunkScan, LinearPhase::context, 3, 6);
  op.chunk = 4;
  // Chunks of 4 and 2 tokens: causal pairs 10 and 3; state of 4 * 3 * 5; the second chunk reads what the first left.
  const double pairs = 10 + 3, state = 4 * 3 * 5;
  EXPECT_EQ(op.work().flops, 3 * (2 * pairs * (2 * 5 + 4 * 3) + 2 * (4 * state + 2 * state) + 2 * 2 * state));
  EXPECT_EQ(op.work().kv_bytes_written, 3 * state * 4);
  EXPECT_EQ(op.work().kv_bytes_read, 0);
  EXPECT_EQ(op.work().math, DType::bf16);
}

TEST(Mamba2, EqualTokensAreNotEqualWork) {
  const Work one = sized(Mamba2::kChunkScan, LinearPhase::context, 1, 4096).work(),
             many = sized(Mamba2::kChunkScan, LinearPhase::context, 64, 64).work();
  EXPECT_EQ(one.activation_bytes(), many.activation_bytes());
  EXPECT_EQ(many.kv_bytes_written, 64 * one.kv_bytes_written);
  EXPECT_GT(one.flops, 1.5 * many.flops);
}

TEST(Mamba2, GenerationReadsAndWritesItsState) {
  const Work work = sized(Mamba2::kStateUpdate, LinearPhase::generation, 7, 1).work();
  EXPECT_EQ(work.kv_bytes_read, 7.0 * 128 * 64 * 128 * 4);
  EXPECT_EQ(work.kv_bytes_written, work.kv_bytes_read);
  EXPECT_EQ(work.math, DType::f32);
}

/// A prompt is the same as its tokens one after the other, whatever the chunk.
TEST(Mamba2, PromptEqualsItsTokensOneByOne) {
  const Mamba2 prompt = small(Mamba2::kChunkScan, LinearPhase::context, 1, 4),
               token = small(Mamba2::kStateUpdate, LinearPhase::generation, 1, 1);
  std::vector<HostOperand> whole = made_up(prompt), step = made_up(token);
  for (const size_t weight : {2, 5, 6}) step[weight] = whole[weight];
  prompt.reference(whole);
  std::fill(step[7].values.begin(), step[7].values.end(), 0.0F);
  for (size_t t = 0; t < 4; ++t) {
    for (const size_t input : {0, 1, 3, 4}) {
      const size_t width = step[input].values.size();
      std::copy_n(whole[input].values.begin() + ptrdiff_t(t * width), width, step[input].values.begin());
    }
    token.reference(step);
    for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(step[8].values[i], whole[8].values[t * 12 + i], 1e-5);
  }
  for (size_t i = 0; i < step[7].values.size(); ++i) EXPECT_NEAR(step[7].values[i], whole[7].values[i], 1e-5);
}

/// The state after a prompt continues it: the convolution of 5 tokens is that of 4 and one more.
TEST(Mamba2, ConvolutionStateContinuesThePrompt) {
  const Mamba2 longer = small(Mamba2::kConvFn, LinearPhase::context, 1, 5),
               prompt = small(Mamba2::kConvFn, LinearPhase::context, 1, 4),
               token = small(Mamba2::kConvUpdate, LinearPhase::generation, 1, 1);
  std::vector<HostOperand> whole = made_up(longer), first = made_up(prompt), last = made_up(token);
  const auto channels = size_t(token.conv_shape().channels);
  std::copy_n(whole[0].values.begin(), 4 * channels, first[0].values.begin());
  std::copy_n(whole[0].values.begin() + ptrdiff_t(4 * channels), channels, last[0].values.begin());
  for (const size_t weight : {1, 2}) first[weight].values = last[weight].values = whole[weight].values;
  longer.reference(whole);
  prompt.reference(first);
  last[3].values = first[3].values;
  token.reference(last);
  for (size_t c = 0; c < channels; ++c) EXPECT_FLOAT_EQ(last[4].values[c], whole[4].values[4 * channels + c]);
  EXPECT_EQ(last[3].values, whole[3].values);
}

TEST(Mamba2, NothingStandsBeforeAShortPrompt) {
  const Mamba2 op = small(Mamba2::kConvFn, LinearPhase::context, 1, 1);
  std::vector<HostOperand> data = made_up(op);
  op.reference(data);
  const auto channels = size_t(op.conv_shape().channels);
  for (size_t c = 0; c < channels; ++c) {
    EXPECT_EQ(data[3].values[c], 0);
    EXPECT_EQ(data[3].values[2 * channels + c], data[0].values[c]);
  }
}

TEST(Mamba2, ModelGridSweepsBatchAndLength) {
  const OpType type = make_op_type<Mamba2>();
  ModelShapes shapes;
  shapes.add(make_case(type, sized(Mamba2::kChunkScan, LinearPhase::context, 1, 2)));
  shapes.add(make_case(type, sized(Mamba2::kStateUpdate, LinearPhase::generation, 1, 1)));
  std::vector<int64_t> decode_batches;
  std::set<int64_t> lengths;
  Mamba2::model_cases(shapes, [&](const Mamba2& op) {
    EXPECT_EQ(op.why_invalid(), "");
    EXPECT_LE(op.tokens, kLinearMostTokens);
    if (op.phase == LinearPhase::generation)
      decode_batches.push_back(op.batch);
    else
      lengths.insert(op.seq);
  });
  EXPECT_THAT(decode_batches, ElementsAreArray(kBatchLadder));
  EXPECT_THAT(lengths, ElementsAreArray(kSequenceLadder));
}

TEST(Mamba2, SenselessCasesSayWhy) {
  EXPECT_EQ(Mamba2{}.why_invalid(), "");
  EXPECT_EQ((Mamba2{.tokens = 2}).why_invalid(), "num_tokens must be batch_size * seq_len");
  EXPECT_EQ((Mamba2{.heads = 12}).why_invalid(), "n_groups must divide nheads");
  EXPECT_NE((Mamba2{.d_conv = 1}).why_invalid(), "");
  EXPECT_NE((Mamba2{.chunk = 0}).why_invalid(), "");
  EXPECT_NE((Mamba2{.kernel = Symbol()}).why_invalid(), "");
  EXPECT_EQ((Mamba2{.kernel = Symbol(Mamba2::kConvUpdate)}).why_invalid(),
            "kernel_source belongs to the other phase");
  EXPECT_EQ(sized(Mamba2::kConvUpdate, LinearPhase::generation, 1, 2).why_invalid(),
            "seq_len must be 1 in generation");
}

TEST(Mamba2, AnUnknownSubKernelIsReadButHasNoOperands) {
  const Mamba2 op{.kernel = Symbol("triton_scan")};
  EXPECT_EQ(op.why_invalid(), "");
  EXPECT_TRUE(op.operands().empty());
  EXPECT_EQ(op.work().bytes(), 2.0 * 2 * 4096);
}

TEST(LinearPhase, UniformContentStaysInItsRange) {
  HostOperand content{.declared = {}, .values = std::vector<float>(1000), .indices = {}};
  uniform_between(-5, 0)(7, content);
  EXPECT_THAT(content.values, Each(testing::AllOf(testing::Ge(-5), testing::Le(0))));
  const std::vector<float> first = content.values;
  uniform_between(-5, 0)(8, content);
  EXPECT_NE(content.values, first);
  EXPECT_GT(*std::max_element(first.begin(), first.end()), -0.1);
  EXPECT_LT(*std::min_element(first.begin(), first.end()), -4.9);
}

}  // namespace
}  // namespace perfatlas
