// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {

void add_mamba2_cpu_kernels(KernelRegistry& registry);

namespace {

using testing::HasSubstr;

struct Cpu {
  CpuDevice device{""};
  OpType op = make_op_type<Mamba2>();
  KernelRegistry kernels;
  Cpu() { add_mamba2_cpu_kernels(kernels); }
};

Cpu& cpu() {
  static Cpu shared;
  return shared;
}

/// Every kernel that takes the case agrees with the reference; returns their names.
std::vector<std::string> check_everywhere(const Mamba2& op) {
  const Case what = make_case(cpu().op, op);
  EXPECT_EQ(op.why_invalid(), "") << case_text(what);
  std::vector<std::string> checked;
  for (const KernelEntry& kernel : cpu().kernels.entries()) {
    if (!kernel.why_unsupported(what.values, cpu().device).empty()) continue;
    checked.emplace_back(kernel.name);
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, cpu().device))
      EXPECT_NE(check.verdict, Verdict::failed)
          << kernel.name << " " << case_text(what) << ": " << check.name << ": " << check.detail;
  }
  return checked;
}

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

RC_GTEST_PROP(Mamba2Cpu, ConvolutionsOfPromptsAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 4),
             seq = *rc::gen::element<int64_t>(1, 2, 3, 17, 64, 65, 150);
  const auto checked =
      check_everywhere(random_shape(with_sizes(Mamba2::kConvFn, LinearPhase::context, batch, seq)));
  RC_ASSERT(!checked.empty());
}

RC_GTEST_PROP(Mamba2Cpu, ConvolutionUpdatesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 6);
  const auto checked =
      check_everywhere(random_shape(with_sizes(Mamba2::kConvUpdate, LinearPhase::generation, batch, 1)));
  RC_ASSERT(!checked.empty());
}

RC_GTEST_PROP(Mamba2Cpu, ScansAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 3),
             seq = *rc::gen::element<int64_t>(1, 2, 15, 16, 64, 129, 200);
  const auto checked =
      check_everywhere(random_shape(with_sizes(Mamba2::kChunkScan, LinearPhase::context, batch, seq)));
  RC_ASSERT(!checked.empty());
}

RC_GTEST_PROP(Mamba2Cpu, StateUpdatesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 6);
  const auto checked =
      check_everywhere(random_shape(with_sizes(Mamba2::kStateUpdate, LinearPhase::generation, batch, 1)));
  RC_ASSERT(!checked.empty());
}

/// One group of Nemotron-H with its chunk length: several whole chunks and a broken one.
TEST(Mamba2Cpu, PublishedShapesAgreeWithTheReference) {
  Mamba2 scan = with_sizes(Mamba2::kChunkScan, LinearPhase::context, 1, 300);
  scan.heads = 8, scan.groups = 1;
  const auto scans = check_everywhere(scan);
  Mamba2 update = with_sizes(Mamba2::kStateUpdate, LinearPhase::generation, 2, 1);
  const auto updates = check_everywhere(update);
  if (!cpu().device.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 bf16 instructions";
  EXPECT_THAT(scans, testing::ElementsAre("onednn_matmul_chunk_scan", "perfatlas_avx512_recurrence",
                                          "perfatlas_portable_recurrence"));
  EXPECT_THAT(updates, testing::ElementsAre("perfatlas_avx512_recurrence", "perfatlas_portable_recurrence"));
}

TEST(Mamba2Cpu, StrangeStepsSayWhy) {
  const auto reasons = [&](const Mamba2& op) {
    std::string all;
    for (const KernelEntry& kernel : cpu().kernels.entries())
      all += kernel.why_unsupported(encode(op), cpu().device) + "\n";
    return all;
  };
  EXPECT_THAT(reasons({.kernel = Symbol("triton_scan")}),
              HasSubstr("no CPU kernel for the sub-kernel triton_scan"));
  EXPECT_THAT(reasons({.d_conv = 9}), HasSubstr("no CPU kernel convolves over 9 tokens: at most 8"));
  EXPECT_THAT(reasons({.kernel = Symbol(Mamba2::kChunkScan), .seq = 8, .tokens = 8, .chunk = 2048}),
              HasSubstr("chunk_size 2048 is more than 1024"));
}

TEST(Mamba2Cpu, ScratchDoesNotGrowWithThePrompt) {
  if (!cpu().device.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 bf16 instructions";
  const auto bytes = [&](int64_t seq) {
    const Mamba2 op = with_sizes(Mamba2::kChunkScan, LinearPhase::context, 4, seq);
    return cpu().kernels.entries()[0].prepare(encode(op), cpu().device)->workspace_bytes();
  };
  EXPECT_EQ(bytes(32768), bytes(128));
}

}  // namespace
}  // namespace perfatlas
