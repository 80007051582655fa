// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {
void add_mla_cuda_kernels(KernelRegistry&);
namespace {

struct MlaCuda : CudaKernelChecks {
  MlaCuda() : CudaKernelChecks(&add_mla_cuda_kernels) {}
};

TEST_F(MlaCuda, EqualsTheReferenceWithBothCacheTypes) {
  for (const DType cache : {DType::bf16, DType::fp8_e4m3}) {
    EXPECT_EQ(failures_of(MlaContext{.kv_dtype = cache, .heads = 2, .batch = 2, .isl = 5, .step = 3}), "");
    EXPECT_EQ(failures_of(MlaGeneration{.kv_dtype = cache, .heads = 3, .batch = 2, .step = 600}), "");
  }
  EXPECT_EQ(checked_, 4);
}

TEST_F(MlaCuda, RefusesKeysBeyondTheOffsetsOfTheLibrary) {
  const MlaContext large{.heads = 128, .batch = 8, .isl = 32768};
  EXPECT_NE(reasons(large)[1].find("in 32 bits"), std::string::npos);
}

}  // namespace
}  // namespace perfatlas
