// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {

void add_mamba2_cpu_kernels(KernelRegistry& registry);

namespace {

using testing::HasSubstr;

struct Mamba2Cpu : KernelChecks {
  Mamba2Cpu() : KernelChecks(&add_mamba2_cpu_kernels) {}
};

Mamba2 with_sizes(std::string_view kernel, LinearPhase phase, int64_t batch, int64_t seq) {
  Mamba2 op{.kernel = Symbol(kernel), .phase = phase};
  op.batch = batch;
  Mamba2::set_seq(op, seq);
  return op;
}

Mamba2 random_shape(Mamba2 op) {
  op.groups = *rc::gen::element<int64_t>(1, 2, 3);
  op.heads = op.groups * *rc::gen::element<int64_t>(1, 2, 5);
  op.head_dim = *rc::gen::element<int64_t>(1, 7, 16, 40, 64);
  op.d_state = *rc::gen::element<int64_t>(1, 9, 16, 33, 64);
  op.d_conv = *rc::gen::inRange<int64_t>(2, 9);
  op.chunk = *rc::gen::element<int64_t>(1, 16, 30, 64, 128);
  return op;
}

RC_GTEST_FIXTURE_PROP(Mamba2Cpu, ConvolutionsOfPromptsAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 4),
             seq = *rc::gen::element<int64_t>(1, 2, 3, 17, 64, 65, 150);
  RC_ASSERT(failures_of(random_shape(with_sizes(Mamba2::kConvFn, LinearPhase::context, batch, seq))) == "");
  RC_ASSERT(checked_ > 0);
}

RC_GTEST_FIXTURE_PROP(Mamba2Cpu, ConvolutionUpdatesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 6);
  RC_ASSERT(failures_of(random_shape(with_sizes(Mamba2::kConvUpdate, LinearPhase::generation, batch, 1))) ==
            "");
  RC_ASSERT(checked_ > 0);
}

RC_GTEST_FIXTURE_PROP(Mamba2Cpu, ScansAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 3),
             seq = *rc::gen::element<int64_t>(1, 2, 15, 16, 64, 129, 200);
  RC_ASSERT(failures_of(random_shape(with_sizes(Mamba2::kChunkScan, LinearPhase::context, batch, seq))) ==
            "");
  RC_ASSERT(checked_ > 0);
}

RC_GTEST_FIXTURE_PROP(Mamba2Cpu, StateUpdatesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 6);
  RC_ASSERT(failures_of(random_shape(with_sizes(Mamba2::kStateUpdate, LinearPhase::generation, batch, 1))) ==
            "");
  RC_ASSERT(checked_ > 0);
}

/// One group of Nemotron-H with its chunk length: several whole chunks and a broken one.
TEST_F(Mamba2Cpu, PublishedShapesAgreeWithTheReference) {
  Mamba2 scan = with_sizes(Mamba2::kChunkScan, LinearPhase::context, 1, 300);
  scan.heads = 8, scan.groups = 1;
  const Mamba2 update = with_sizes(Mamba2::kStateUpdate, LinearPhase::generation, 2, 1);
  EXPECT_EQ(failures_of(scan) + failures_of(update), "");
  if (!device_.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 bf16 instructions";
  EXPECT_THAT(names_of_taking(scan),
              testing::ElementsAre("onednn_matmul_chunk_scan", "perfatlas_avx512_recurrence",
                                   "perfatlas_portable_recurrence"));
  EXPECT_THAT(names_of_taking(update),
              testing::ElementsAre("perfatlas_avx512_recurrence", "perfatlas_portable_recurrence"));
}

TEST_F(Mamba2Cpu, StrangeStepsSayWhy) {
  EXPECT_THAT(reasons<Mamba2>({.kernel = Symbol("triton_scan")}),
              testing::Contains(HasSubstr("no CPU kernel for the sub-kernel triton_scan")));
  EXPECT_THAT(reasons<Mamba2>({.d_conv = 9}),
              testing::Contains(HasSubstr("no CPU kernel convolves over 9 tokens: at most 8")));
  EXPECT_THAT(reasons<Mamba2>({.kernel = Symbol(Mamba2::kChunkScan), .seq = 8, .tokens = 8, .chunk = 2048}),
              testing::Contains(HasSubstr("chunk_size 2048 is more than 1024")));
}

TEST_F(Mamba2Cpu, ScratchDoesNotGrowWithThePrompt) {
  if (!device_.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 bf16 instructions";
  const auto bytes = [&](int64_t seq) {
    const Mamba2 op = with_sizes(Mamba2::kChunkScan, LinearPhase::context, 4, seq);
    return kernels_.entries()[0].prepare(encode(op), device_)->workspace_bytes();
  };
  EXPECT_EQ(bytes(32768), bytes(128));
}

}  // namespace
}  // namespace perfatlas
