// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/encoder_attention/encoder_attention.h"

namespace perfatlas {

void add_encoder_attention_cpu_kernels(KernelRegistry& registry);

namespace {

struct EncoderAttentionCpu : KernelChecks {
  EncoderAttentionCpu() : KernelChecks(&add_encoder_attention_cpu_kernels) {}
};

/// One token, whole and broken pages and query blocks, head sizes of vision encoders.
TEST_F(EncoderAttentionCpu, EdgesOfBlocksAgreeWithTheReference) {
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const int64_t head_dim : {64, 72, 80})
      for (const int64_t isl : {1, 13, 64, 65, 300, 577})
        EXPECT_EQ(failures_of<EncoderAttention>(
                      {.batch = 2, .isl = isl, .heads = 2, .head_dim = head_dim, .dtype = dtype}),
                  "");
  EXPECT_GE(checked_, 36);  // the portable loop at least
}

RC_GTEST_FIXTURE_PROP(EncoderAttentionCpu, RandomShapesAgreeWithTheReference, ()) {
  EncoderAttention op;
  op.batch = *rc::gen::inRange<int64_t>(1, 4), op.isl = *rc::gen::inRange<int64_t>(1, 150);
  op.heads = *rc::gen::inRange<int64_t>(1, 5), op.head_dim = *rc::gen::inRange<int64_t>(1, 130);
  op.dtype = *rc::gen::element(DType::f32, DType::bf16);
  RC_ASSERT(failures_of(op) == "");
  RC_ASSERT(checked_ >= 1);
}

TEST_F(EncoderAttentionCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels_.entries())
    EXPECT_EQ(kernel.why_unsupported(encode(EncoderAttention{.dtype = DType::f16}), device_),
              "no CPU kernel computes attention in float16: only in float32 and bfloat16");
}

}  // namespace
}  // namespace perfatlas
