// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {
void add_moe_cuda_kernels(KernelRegistry&);
namespace {

struct MoeCuda : CudaKernelChecks {
  MoeCuda() : CudaKernelChecks(&add_moe_cuda_kernels) {}

  static Moe layer(Quant quant) {
    return {.dtype = quant, .tokens = 9, .hidden = 48, .inter = 64, .topk = 3, .experts = 8};
  }
};

TEST_F(MoeCuda, EqualsTheReferenceForEveryType) {
  for (const Quant quant : {Quant::f32, Quant::bf16, Quant::f16, Quant::fp8})
    EXPECT_EQ(failures_of(layer(quant)), "") << name_of(quant);
  EXPECT_EQ(checked_, 4);
}

TEST_F(MoeCuda, EqualsTheReferenceOnOneRankOfSeveralAndForUngatedAndUnevenExperts) {
  Moe parallel = layer(Quant::bf16);
  parallel.tp = 2, parallel.ep = 4;
  EXPECT_EQ(failures_of(parallel), "");
  Moe uneven = layer(Quant::bf16);
  uneven.gated = false, uneven.distribution = Symbol("power_law_1.2");
  EXPECT_EQ(failures_of(uneven), "");
  EXPECT_EQ(checked_, 2);
}

TEST_F(MoeCuda, RefusesWithAReason) {
  for (const std::string& reason : reasons(layer(Quant::nvfp4)))
    EXPECT_THAT(reason, testing::HasSubstr("no nvfp4 kernel in this build"));
  Moe odd = layer(Quant::bf16);
  odd.inter = 36;
  EXPECT_THAT(reasons(odd)[0], testing::HasSubstr("multiples of 8"));
}

}  // namespace
}  // namespace perfatlas
