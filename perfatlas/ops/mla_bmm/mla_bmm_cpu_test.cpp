// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

namespace perfatlas {

void add_mla_bmm_cpu_kernels(KernelRegistry& registry);

namespace {

struct MlaBmmCpu : testing::Test {
  MlaBmmCpu() { add_mla_bmm_cpu_kernels(kernels); }

  CpuDevice device{""};
  OpType type = make_op_type<MlaBmm>();
  KernelRegistry kernels;
};

RC_GTEST_FIXTURE_PROP(MlaBmmCpu, EveryKernelAgreesWithTheReference, ()) {
  MlaBmm op;
  op.direction = *rc::gen::element(MlaBmmDirection::pre, MlaBmmDirection::post);
  op.dtype = *rc::gen::element(Quant::f32, Quant::bf16);
  op.tokens = *rc::gen::inRange<int64_t>(1, 20), op.heads = *rc::gen::inRange<int64_t>(1, 6);
  const Case what = make_case(type, op);
  for (const KernelEntry& kernel : kernels.entries()) {
    if (!kernel.why_unsupported(what.values, device).empty()) continue;
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, device)) {
      RC_LOG() << kernel.name << " " << case_text(what) << ": " << check.name << ": " << check.detail << "\n";
      RC_ASSERT(check.verdict != Verdict::failed);
    }
  }
}

TEST_F(MlaBmmCpu, SomeKernelTakesFloatsOnAnyCpu) {
  for (const MlaBmmDirection direction : {MlaBmmDirection::pre, MlaBmmDirection::post})
    for (const int64_t tokens : {1, 7, 64}) {
      const FieldValues values = encode(MlaBmm{direction, Quant::f32, tokens, 16});
      bool taken = false;
      for (const KernelEntry& kernel : kernels.entries())
        taken = taken || kernel.why_unsupported(values, device).empty();
      EXPECT_TRUE(taken) << name_of(direction) << " " << tokens;
    }
}

TEST_F(MlaBmmCpu, AmxRunsBfloat16WhereTheCpuHasIt) {
  if (!device.isa().amx_bf16) GTEST_SKIP() << "this CPU has no AMX";
  for (const KernelEntry& kernel : kernels.entries())
    EXPECT_EQ(kernel.why_unsupported(encode(MlaBmm{.tokens = 8, .heads = 16}), device), "") << kernel.name;
}

TEST_F(MlaBmmCpu, TypesWithoutAKernelSayWhy) {
  for (const KernelEntry& kernel : kernels.entries()) {
    const std::string why = kernel.why_unsupported(encode(MlaBmm{.dtype = Quant::fp8}), device);
    EXPECT_NE(why.find("no kernel for fp8"), why.npos) << why;
  }
}

}  // namespace
}  // namespace perfatlas
