// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/mla_module/mla_module.h"

namespace perfatlas {

void add_mla_module_cpu_kernels(KernelRegistry& registry);

namespace {

/// Relative L2 bounds are those of reference_tolerance(): 1e-4 in float32, 1e-2 in bfloat16.
struct MlaModuleCpu : testing::Test {
  MlaModuleCpu() { add_mla_module_cpu_kernels(kernels); }

  template <class Op>
  std::string problems(const Op& op) {
    static const OpType type = make_op_type<Op>();
    const Case what = make_case(type, op);
    const KernelEntry& kernel = *kernels.of(Op::info.id, "onednn").front();
    if (!kernel.why_unsupported(what.values, device).empty()) return {};
    ++checked;
    std::string found;
    for (const HarnessCheck& check : check_kernel(what, kernel, 1, device))
      if (check.verdict == Verdict::failed)
        found += case_text(what) + ": " + check.name + ": " + check.detail + "\n";
    return found;
  }
  template <class Op>
  std::string problems_in_both_types(MlaModuleCase c) {
    c.architecture = Symbol("TinyMla");
    c.dtype = c.kv_dtype = DType::f32, c.gemm = Quant::f32;
    std::string found = problems(Op(c));
    c.dtype = c.kv_dtype = DType::bf16, c.gemm = Quant::bf16;
    return found + problems(Op(c));
  }

  CpuDevice device{""};
  KernelRegistry kernels;
  int checked = 0;
};

/// One token and several, one head and several, with and without prefix, pages whole and broken.
TEST_F(MlaModuleCpu, ContextAgreesWithTheReference) {
  for (const MlaModuleCase& c :
       {MlaModuleCase{}, MlaModuleCase{.heads = 3, .batch = 2, .isl = 5}, MlaModuleCase{.isl = 70},
        MlaModuleCase{.heads = 2, .batch = 3, .isl = 3, .step = 64}, MlaModuleCase{.isl = 1, .step = 100}})
    EXPECT_EQ(problems_in_both_types<MlaContextModule>(c), "");
  EXPECT_GE(checked, 5);  // float32 on any CPU
}

TEST_F(MlaModuleCpu, GenerationAgreesWithTheReference) {
  for (const MlaModuleCase& c :
       {MlaModuleCase{}, MlaModuleCase{.heads = 5, .step = 63},
        MlaModuleCase{.heads = 9, .batch = 2, .step = 64}, MlaModuleCase{.heads = 1, .batch = 17, .step = 9},
        MlaModuleCase{.heads = 1, .batch = 2, .step = 300}})
    EXPECT_EQ(problems_in_both_types<MlaGenerationModule>(c), "");
  EXPECT_GE(checked, 5);
}

TEST_F(MlaModuleCpu, TypesWithoutAKernelSayWhy) {
  MlaContextModule op;
  op.gemm = Quant::nvfp4;
  EXPECT_THAT(kernels.of(op.info.id, "onednn").front()->why_unsupported(encode(op), device),
              testing::HasSubstr("not bfloat16 attention between nvfp4 layers"));
  op.gemm = Quant::bf16;
  op.kv_dtype = DType::fp8_e4m3;
  EXPECT_EQ(kernels.of(op.info.id, "onednn").front()->why_unsupported(encode(op), device),
            "no CPU kernel reads a fp8 cache for bfloat16 attention");
}

}  // namespace
}  // namespace perfatlas
