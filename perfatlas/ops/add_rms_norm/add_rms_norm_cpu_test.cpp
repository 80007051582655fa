// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {

void add_add_rms_norm_cpu_kernels(KernelRegistry& registry);

namespace {

class AddRmsNormCpu : public KernelChecks {
 protected:
  AddRmsNormCpu() : KernelChecks(&add_add_rms_norm_cpu_kernels) {}
};

TEST_F(AddRmsNormCpu, EveryKernelAgreesWithTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    const AddRmsNorm op{.dtype = *rc::gen::element(DType::f32, DType::bf16),
                        .tokens = *rc::gen::inRange(1, 40),
                        .hidden = *rc::gen::inRange(1, 1500)};
    const std::string failures = failures_of(op);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked_, 100);  // the portable loop takes every one
}

TEST_F(AddRmsNormCpu, LargeAndSmallestShapesAgree) {
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const AddRmsNorm& op : {AddRmsNorm{dtype, 1, 1}, AddRmsNorm{dtype, 130, 4096}})
      EXPECT_EQ(failures_of(op), "");
}

TEST_F(AddRmsNormCpu, TypesWithoutAKernelSayWhy) {
  for (const std::string& reason : reasons(AddRmsNorm{.dtype = DType::f16}))
    EXPECT_EQ(reason, "no CPU loop takes float16: only float32 and bfloat16");
}

}  // namespace
}  // namespace perfatlas
