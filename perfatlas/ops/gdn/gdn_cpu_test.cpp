// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {

void add_gdn_cpu_kernels(KernelRegistry& registry);

namespace {

using testing::HasSubstr;

struct GdnCpu : KernelChecks {
  GdnCpu() : KernelChecks(&add_gdn_cpu_kernels) {}
};

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

RC_GTEST_FIXTURE_PROP(GdnCpu, ConvolutionsAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 4), seq = *rc::gen::element<int64_t>(1, 2, 17, 65);
  const bool context = *rc::gen::arbitrary<bool>();
  RC_ASSERT(failures_of(random_shape(
                context ? with_sizes(Gdn::kConvFn, LinearPhase::context, batch, seq)
                        : with_sizes(Gdn::kConvUpdate, LinearPhase::generation, batch, 1))) == "");
  RC_ASSERT(checked_ > 0);
}

RC_GTEST_FIXTURE_PROP(GdnCpu, ChunkedRulesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 3),
             seq = *rc::gen::element<int64_t>(1, 2, 15, 64, 65, 128, 190);
  RC_ASSERT(failures_of(random_shape(with_sizes(Gdn::kChunkRule, LinearPhase::context, batch, seq))) == "");
  RC_ASSERT(checked_ > 0);
}

RC_GTEST_FIXTURE_PROP(GdnCpu, RecurrentRulesAgreeWithTheReference, ()) {
  const auto batch = *rc::gen::inRange<int64_t>(1, 6);
  RC_ASSERT(failures_of(random_shape(with_sizes(Gdn::kRecurrentRule, LinearPhase::generation, batch, 1))) ==
            "");
  RC_ASSERT(checked_ > 0);
}

/// Two key heads of Qwen3.5 over several whole chunks and a broken one.
TEST_F(GdnCpu, PublishedShapesAgreeWithTheReference) {
  Gdn rule = with_sizes(Gdn::kChunkRule, LinearPhase::context, 1, 300);
  rule.k_heads = 2, rule.v_heads = 4;
  const Gdn step = with_sizes(Gdn::kRecurrentRule, LinearPhase::generation, 2, 1);
  EXPECT_EQ(failures_of(rule) + failures_of(step), "");
  if (!device_.isa().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX-512 bf16 instructions";
  EXPECT_THAT(names_of_taking(rule),
              testing::ElementsAre("onednn_matmul_chunk_rule", "perfatlas_avx512_recurrence",
                                   "perfatlas_portable_recurrence"));
  EXPECT_THAT(names_of_taking(step),
              testing::ElementsAre("perfatlas_avx512_recurrence", "perfatlas_portable_recurrence"));
}

TEST_F(GdnCpu, StepsWithoutAKernelSayWhy) {
  EXPECT_THAT(
      reasons<Gdn>({.kernel = Symbol("flashinfer_gated_delta_rule_decode")}),
      testing::Contains(HasSubstr("no CPU kernel for the sub-kernel flashinfer_gated_delta_rule_decode")));
  EXPECT_THAT(reasons<Gdn>({.d_conv = 9}),
              testing::Contains(HasSubstr("no CPU kernel convolves over 9 tokens: at most 8")));
  EXPECT_THAT(reasons<Gdn>({.kernel = Symbol(Gdn::kChunkRule)}),
              testing::Contains(HasSubstr("a prompt of one token")));
}

}  // namespace
}  // namespace perfatlas
