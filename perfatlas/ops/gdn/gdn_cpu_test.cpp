// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {

void add_gdn_cpu_kernels(KernelRegistry& registry);

namespace {

using testing::HasSubstr;

struct Cpu {
  CpuDevice device{""};
  OpType op = make_op_type<Gdn>();
  KernelRegistry kernels;
  Cpu() { add_gdn_cpu_kernels(kernels); }
};

Cpu& cpu() {
  static Cpu shared;
  return shared;
}

/// Every kernel that takes the case agrees with the reference; returns their names.
std::vector<std::string> check_everywhere(const Gdn& op) {
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

Gdn with_sizes(std::string_view kernel, LinearPhase phase, int64_t batch, int64_t seq) {
  Gdn op{.kernel = Symbol(kernel), .phase = phase};
  op.batch = batch;
  Gdn::set_seq(op, seq);
  return op;
}

Gdn random_shape(Gdn op) {
  op.k_heads = *rc::gen::element<int64_t>(1, 2, 3);
  op.v_heads = op.k_heads * *rc::gen::element<int64_t>(1, 2, 3);
  op.k_dim = *rc::gen::element<int64_t>(1, 9, 16, 33, 64);
  op.v_dim = *rc::gen::element<int64_t>(1, 7, 16, 40, 80);
  op.d_conv = *rc::gen::inRange<int64_t>(2, 9);
  return op;
}

RC_GTEST_PROP(GdnCpu, ConvolutionsAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 4), seq = *rc::gen::element<int64_t>(1, 2, 17, 65);
  const bool context = *rc::gen::arbitrary<bool>();
  const auto checked = check_everywhere(
      random_shape(context ? with_sizes(Gdn::kConvFn, LinearPhase::context, batch, seq)
                           : with_sizes(Gdn::kConvUpdate, LinearPhase::generation, batch, 1)));
  RC_ASSERT(!checked.empty());
}

RC_GTEST_PROP(GdnCpu, ChunkedRulesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 3),
             seq = *rc::gen::element<int64_t>(1, 2, 15, 64, 65, 128, 190);
  const auto checked =
      check_everywhere(random_shape(with_sizes(Gdn::kChunkRule, LinearPhase::context, batch, seq)));
  RC_ASSERT(!checked.empty());
}

RC_GTEST_PROP(GdnCpu, RecurrentRulesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 6);
  const auto checked =
      check_everywhere(random_shape(with_sizes(Gdn::kRecurrentRule, LinearPhase::generation, batch, 1)));
  RC_ASSERT(!checked.empty());
}

/// Two key heads of Qwen3.5 over several whole chunks and a broken one.
TEST(GdnCpu, PublishedShapesAgreeWithTheReference) {
  Gdn rule = with_sizes(Gdn::kChunkRule, LinearPhase::context, 1, 300);
  rule.k_heads = 2, rule.v_heads = 4;
  const auto chunked = check_everywhere(rule);
  const auto recurrent = check_everywhere(with_sizes(Gdn::kRecurrentRule, LinearPhase::generation, 2, 1));
  if (!cpu().device.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 bf16 instructions";
  EXPECT_THAT(chunked, testing::ElementsAre("onednn_matmul_chunk_rule", "perfatlas_avx512_recurrence",
                                            "perfatlas_portable_recurrence"));
  EXPECT_THAT(recurrent,
              testing::ElementsAre("perfatlas_avx512_recurrence", "perfatlas_portable_recurrence"));
}

TEST(GdnCpu, StepsWithoutAKernelSayWhy) {
  const auto reasons = [&](const Gdn& op) {
    std::string all;
    for (const KernelEntry& kernel : cpu().kernels.entries())
      all += kernel.why_unsupported(encode(op), cpu().device) + "\n";
    return all;
  };
  EXPECT_THAT(reasons({.kernel = Symbol("flashinfer_gated_delta_rule_decode")}),
              HasSubstr("no CPU kernel for the sub-kernel flashinfer_gated_delta_rule_decode"));
  EXPECT_THAT(reasons({.d_conv = 9}), HasSubstr("no CPU kernel convolves over 9 tokens: at most 8"));
  EXPECT_THAT(reasons({.kernel = Symbol(Gdn::kChunkRule)}), HasSubstr("a prompt of one token"));
}

}  // namespace
}  // namespace perfatlas
