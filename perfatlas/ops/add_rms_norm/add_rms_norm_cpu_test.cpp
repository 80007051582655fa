// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/harness_check.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {

void add_add_rms_norm_cpu_kernels(KernelRegistry& registry);

namespace {

TEST(AddRmsNormCpu, AgreesWithTheReferenceOnOddShapes) {
  CpuDevice device("");
  KernelRegistry kernels;
  add_add_rms_norm_cpu_kernels(kernels);
  const OpType type = make_op_type<AddRmsNorm>();
  int checked = 0;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const int64_t tokens : {1, 3, 130})
      for (const int64_t hidden : {1, 15, 16, 100, 4096}) {
        const Case what = make_case<AddRmsNorm>(type, {dtype, tokens, hidden});
        const KernelEntry& kernel = kernels.entries().front();
        if (!kernel.why_unsupported(what.values, device).empty()) continue;
        ++checked;
        for (const HarnessCheck& check : check_kernel(what, kernel, 1, device))
          EXPECT_NE(check.verdict, Verdict::failed)
              << case_text(what) << ": " << check.name << ": " << check.detail;
      }
  EXPECT_GE(checked, 15);  // float32 on any CPU
}

TEST(AddRmsNormCpu, TypesWithoutAKernelSayWhy) {
  CpuDevice device("");
  KernelRegistry kernels;
  add_add_rms_norm_cpu_kernels(kernels);
  EXPECT_EQ(kernels.entries().front().why_unsupported(encode(AddRmsNorm{.dtype = DType::f16}), device),
            "no CPU kernel normalises float16");
}

}  // namespace
}  // namespace perfatlas
