// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

namespace perfatlas {

void add_mla_bmm_cpu_kernels(KernelRegistry& registry);

namespace {

struct MlaBmmCpu : KernelChecks {
  MlaBmmCpu() : KernelChecks(&add_mla_bmm_cpu_kernels) {}
};

RC_GTEST_FIXTURE_PROP(MlaBmmCpu, EveryKernelAgreesWithTheReference, ()) {
  MlaBmm op;
  op.direction = *rc::gen::element(MlaBmmDirection::pre, MlaBmmDirection::post);
  op.dtype = *rc::gen::element(Quant::f32, Quant::bf16);
  op.tokens = *rc::gen::inRange<int64_t>(1, 20), op.heads = *rc::gen::inRange<int64_t>(1, 6);
  RC_ASSERT(failures_of(op) == "");
}

TEST_F(MlaBmmCpu, SomeKernelTakesFloatsOnAnyCpu) {
  for (const MlaBmmDirection direction : {MlaBmmDirection::pre, MlaBmmDirection::post})
    for (const int64_t tokens : {1, 7, 64}) {
      const FieldValues values = encode(MlaBmm{direction, Quant::f32, tokens, 16});
      bool taken = false;
      for (const KernelEntry& kernel : kernels_.entries())
        taken = taken || kernel.why_unsupported(values, device_).empty();
      EXPECT_TRUE(taken) << name_of(direction) << " " << tokens;
    }
}

TEST_F(MlaBmmCpu, AmxRunsBfloat16WhereTheCpuHasIt) {
  if (!device_.isa().amx_bf16) GTEST_SKIP() << "this CPU has no AMX";
  for (const KernelEntry& kernel : kernels_.entries())
    EXPECT_EQ(kernel.why_unsupported(encode(MlaBmm{.tokens = 8, .heads = 16}), device_), "") << kernel.name;
}

TEST_F(MlaBmmCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels_.entries()) {
    const std::string why = kernel.why_unsupported(encode(MlaBmm{.dtype = Quant::fp8}), device_);
    EXPECT_NE(why.find("no kernel for fp8"), why.npos) << why;
  }
}

}  // namespace
}  // namespace perfatlas
