// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {
void add_rope_cuda_kernels(KernelRegistry&);
namespace {

struct RopeCuda : CudaKernelChecks {
  RopeCuda() : CudaKernelChecks(&add_rope_cuda_kernels) {}
};

TEST_F(RopeCuda, EqualsTheReferenceForWholePartialAndShiftedHeads) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
    EXPECT_EQ(failures_of(Rope{.dtype = type, .tokens = 5, .heads = 4, .kv_heads = 2}), "");
    EXPECT_EQ(failures_of(Rope{.dtype = type, .tokens = 3, .heads = 2, .rotary_dim = 64}), "");
    EXPECT_EQ(
        failures_of(Rope{
            .dtype = type, .tokens = 3, .heads = 2, .head_dim = 192, .rotary_dim = 64, .rotary_offset = 128}),
        "");
  }
  EXPECT_EQ(checked_, 9);
}

}  // namespace
}  // namespace perfatlas
