// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstring>

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
  for (const Quant quant : {Quant::f32, Quant::bf16, Quant::f16, Quant::fp8, Quant::fp8_block})
    EXPECT_EQ(failures_of(layer(quant)), "") << name_of(quant);
  EXPECT_EQ(checked_, 5 + 3);  // plain products; cuBLAS without fp8
}

TEST_F(MoeCuda, EqualsTheReferenceOnOneRankOfSeveralAndForUngatedAndUnevenExperts) {
  Moe parallel = layer(Quant::bf16);
  parallel.tp = 2, parallel.ep = 4;
  EXPECT_EQ(failures_of(parallel), "");
  Moe uneven = layer(Quant::bf16);
  uneven.gated = false, uneven.distribution = Symbol("power_law_1.2");
  EXPECT_EQ(failures_of(uneven), "");
  EXPECT_EQ(checked_, 4);
}

TEST_F(MoeCuda, CublasLeavesOutExpertsWithoutTokens) {
  Moe few = layer(Quant::bf16);
  few.tokens = 1;  // three of eight experts
  EXPECT_EQ(failures_of(few), "");
  Moe none = few;  // balanced: the first token's experts are 0, 3 and 6
  none.ep = 8, none.tokens = 2;
  EXPECT_EQ(failures_of(none), "");
  EXPECT_EQ(checked_, 4);
}

TEST_F(MoeCuda, CublasNeedsTheRowsOfEveryGroup) {
  const Moe op = layer(Quant::bf16);
  const auto kernel = kernels_.of("moe", "cuda")[1]->prepare(encode(op), device_);
  const auto workspace = device_.allocate(kernel->workspace_bytes());
  std::vector<std::shared_ptr<void>> memory;
  std::vector<void*> operands;
  for (const Operand& operand : op.operands()) {
    memory.push_back(device_.allocate(size_t(operand.bytes())));
    std::memset(memory.back().get(), 0, size_t(operand.bytes()));
    operands.push_back(memory.back().get());
  }
  EXPECT_THROW(kernel->launch(device_.stream(), operands, workspace.get()), Error);
}

TEST_F(MoeCuda, RefusesWithAReason) {
  for (const std::string& reason : reasons(layer(Quant::nvfp4)))
    EXPECT_THAT(reason, testing::HasSubstr("no nvfp4 kernel in this build"));
  Moe odd = layer(Quant::bf16);
  odd.inter = 36;
  EXPECT_THAT(reasons(odd)[0], testing::HasSubstr("multiples of 8"));
  EXPECT_THAT(reasons(layer(Quant::fp8_block))[0], testing::HasSubstr("multiples of 128"));
  EXPECT_THAT(reasons(layer(Quant::fp8))[1], testing::HasSubstr("not of fp8"));
}

}  // namespace
}  // namespace perfatlas
