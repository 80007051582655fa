// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"

namespace perfatlas {
void add_mla_bmm_cuda_kernels(KernelRegistry&);
namespace {

struct MlaBmmCuda : CudaKernelChecks {
  MlaBmmCuda() : CudaKernelChecks(&add_mla_bmm_cuda_kernels) {}
};

TEST_F(MlaBmmCuda, BothDirectionsEqualTheReference) {
  for (const MlaBmmDirection direction : {MlaBmmDirection::pre, MlaBmmDirection::post})
    for (const Quant quant : {Quant::f32, Quant::bf16, Quant::f16})
      EXPECT_EQ(failures_of(MlaBmm{.direction = direction, .dtype = quant, .tokens = 3, .heads = 2}), "");
  EXPECT_EQ(checked_, 6);
}

}  // namespace
}  // namespace perfatlas
