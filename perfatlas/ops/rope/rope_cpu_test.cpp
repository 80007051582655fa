// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {

void add_rope_cpu_kernels(KernelRegistry& registry);

namespace {

class RopeCpu : public KernelChecks {
 protected:
  RopeCpu() : KernelChecks(&add_rope_cpu_kernels) {}
};

TEST_F(RopeCpu, EveryKernelAgreesWithTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    Rope op{.dtype = *rc::gen::element(DType::f32, DType::bf16),
            .tokens = *rc::gen::inRange(1, 20),
            .kv_heads = *rc::gen::inRange(1, 4)};
    op.heads = op.kv_heads * *rc::gen::inRange(1, 5);
    op.rotary_dim = 2 * *rc::gen::inRange(1, 70);
    op.rotary_offset = *rc::gen::element<int64_t>(0, 1, 48);
    op.head_dim = op.rotary_offset + op.rotary_dim + *rc::gen::inRange(0, 20);
    op.positions = *rc::gen::element<int64_t>(1, 200);
    const std::string failures = failures_of(op);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked_, 100);  // the portable loop takes every one
}

TEST_F(RopeCpu, ShapesOfModelsAgree) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    EXPECT_EQ(failures_of(Rope{.dtype = dtype, .tokens = 65, .heads = 32, .kv_heads = 8}), "");
    EXPECT_EQ(failures_of(Rope{.dtype = dtype,
                               .tokens = 33,
                               .heads = 16,
                               .kv_heads = 1,
                               .head_dim = 192,
                               .rotary_dim = 64,
                               .rotary_offset = 128}),
              "");
  }
}

TEST_F(RopeCpu, TypesWithoutAKernelSayWhy) {
  for (const std::string& reason : reasons(Rope{.dtype = DType::f16}))
    EXPECT_EQ(reason, "no CPU loop takes float16: only float32 and bfloat16");
}

}  // namespace
}  // namespace perfatlas
