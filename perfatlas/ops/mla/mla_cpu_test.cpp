// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {

void add_mla_cpu_kernels(KernelRegistry& registry);

namespace {

struct MlaCpu : KernelChecks {
  MlaCpu() : KernelChecks(&add_mla_cpu_kernels) {}
};

/// One token, whole and broken pages, with and without prefix; one head and several.
TEST_F(MlaCpu, ContextAgreesWithTheReference) {
  for (const MlaContext& op :
       {MlaContext{.heads = 1, .isl = 1}, MlaContext{.heads = 2, .batch = 2, .isl = 65},
        MlaContext{.heads = 3, .isl = 64, .step = 64},
        MlaContext{.heads = 2, .batch = 2, .isl = 7, .step = 100},
        MlaContext{.heads = 1, .isl = 300, .step = 1}})
    EXPECT_EQ(failures_in_both_types(op), "");
  EXPECT_GE(checked_, 10);  // the portable loop at least
}

/// One to more heads than one block of 64, odd ones; pages and blocks of pages whole and broken.
TEST_F(MlaCpu, GenerationAgreesWithTheReference) {
  for (const MlaGeneration& op :
       {MlaGeneration{.heads = 1, .step = 0}, MlaGeneration{.heads = 16, .batch = 2, .step = 63},
        MlaGeneration{.heads = 3, .step = 64}, MlaGeneration{.heads = 128, .step = 100},
        MlaGeneration{.heads = 65, .step = 256}, MlaGeneration{.heads = 8, .step = 1000}})
    EXPECT_EQ(failures_in_both_types(op), "");
  EXPECT_GE(checked_, 12);
}

RC_GTEST_FIXTURE_PROP(MlaCpu, RandomGenerationAgreesWithTheReference, ()) {
  MlaGeneration op{.heads = *rc::gen::inRange<int64_t>(1, 24), .batch = *rc::gen::inRange<int64_t>(1, 4)};
  op.step = *rc::gen::inRange<int64_t>(0, 100);
  RC_ASSERT(failures_of_some_kernel(op) == "");
}

RC_GTEST_FIXTURE_PROP(MlaCpu, RandomContextAgreesWithTheReference, ()) {
  MlaContext op{.heads = *rc::gen::inRange<int64_t>(1, 4), .batch = *rc::gen::inRange<int64_t>(1, 3)};
  op.isl = *rc::gen::inRange<int64_t>(1, 70), op.step = *rc::gen::inRange<int64_t>(0, 70);
  RC_ASSERT(failures_of_some_kernel(op) == "");
}

TEST_F(MlaCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels_.entries())
    EXPECT_EQ(kernel.why_unsupported(encode(MlaContext{.kv_dtype = DType::fp8_e4m3}), device_),
              "no CPU kernel reads a fp8 cache for bfloat16 attention");
}

}  // namespace
}  // namespace perfatlas
