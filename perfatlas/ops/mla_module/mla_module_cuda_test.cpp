// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/mla_module/mla_module.h"

namespace perfatlas {
void add_mla_module_cuda_kernels(KernelRegistry&);
namespace {

using testing::HasSubstr;

struct MlaModuleCuda : CudaKernelChecks {
  MlaModuleCuda() : CudaKernelChecks(&add_mla_module_cuda_kernels, 80) {}

  template <class Op>
  static Op block(int64_t isl, int64_t step) {
    Op op;
    op.architecture = Symbol("DeepseekV3ForCausalLM");
    op.heads = 2, op.batch = 1, op.isl = isl, op.step = step;
    return op;
  }
};

TEST_F(MlaModuleCuda, WholeBlocksEqualTheReference) {
  EXPECT_EQ(failures_of(block<MlaContextModule>(2, 3)), "");
  EXPECT_EQ(failures_of(block<MlaGenerationModule>(1, 70)), "");
  EXPECT_EQ(checked_, 2);
}

TEST_F(MlaModuleCuda, RefusesWithAReason) {
  MlaContextModule mixed = block<MlaContextModule>(2, 0);
  mixed.gemm = Quant::fp8_block;
  EXPECT_THAT(reasons(mixed)[0], HasSubstr("not bfloat16 attention between fp8_block layers"));
  MlaContextModule narrow = block<MlaContextModule>(2, 0);
  narrow.kv_dtype = DType::fp8_e4m3;
  EXPECT_THAT(reasons(narrow)[0], HasSubstr("not in fp8"));
}

}  // namespace
}  // namespace perfatlas
