// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/encoder_attention/encoder_attention.h"

namespace perfatlas {

void add_encoder_attention_cpu_kernels(KernelRegistry& registry);

namespace {

struct EncoderAttentionCpu : testing::Test {
  EncoderAttentionCpu() { add_encoder_attention_cpu_kernels(kernels); }

  /// What is wrong with any kernel that takes the case; counts those that do.
  std::string problems(const EncoderAttention& op, int& checked) {
    const Case what = make_case(type, op);
    std::string found;
    for (const KernelEntry& kernel : kernels.entries()) {
      if (!kernel.why_unsupported(what.values, device).empty()) continue;
      ++checked;
      for (const HarnessCheck& check : check_kernel(what, kernel, 1, device))
        if (check.verdict == Verdict::failed)
          found += std::string(kernel.name) + " " + case_text(what) + ": " + check.name + ": " + check.detail;
    }
    return found;
  }

  CpuDevice device{""};
  OpType type = make_op_type<EncoderAttention>();
  KernelRegistry kernels;
};

/// One token, whole and broken pages and query blocks, head sizes of vision encoders.
TEST_F(EncoderAttentionCpu, EdgesOfBlocksAgreeWithTheReference) {
  int checked = 0;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const int64_t head_dim : {64, 72, 80})
      for (const int64_t isl : {1, 13, 64, 65, 300, 577})
        EXPECT_EQ(
            problems({.batch = 2, .isl = isl, .heads = 2, .head_dim = head_dim, .dtype = dtype}, checked),
            "");
  EXPECT_GE(checked, 36);  // the portable loop at least
}

RC_GTEST_FIXTURE_PROP(EncoderAttentionCpu, RandomShapesAgreeWithTheReference, ()) {
  EncoderAttention op;
  op.batch = *rc::gen::inRange<int64_t>(1, 4), op.isl = *rc::gen::inRange<int64_t>(1, 150);
  op.heads = *rc::gen::inRange<int64_t>(1, 5), op.head_dim = *rc::gen::inRange<int64_t>(1, 130);
  op.dtype = *rc::gen::element(DType::f32, DType::bf16);
  int checked = 0;
  RC_ASSERT(problems(op, checked) == "");
  RC_ASSERT(checked >= 1);
}

TEST_F(EncoderAttentionCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels.entries())
    EXPECT_EQ(kernel.why_unsupported(encode(EncoderAttention{.dtype = DType::f16}), device),
              "no CPU kernel computes attention in float16: only in float32 and bfloat16");
}

}  // namespace
}  // namespace perfatlas
