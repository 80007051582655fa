// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"

namespace perfatlas {

void add_kv_cache_write_cpu_kernels(KernelRegistry& registry);

namespace {

class KvCacheWriteCpu : public KernelChecks {
 protected:
  KvCacheWriteCpu() : KernelChecks(&add_kv_cache_write_cpu_kernels) {}
};

/// The check compares every element that the op leaves alone, so a wrong page, position or head is found.
TEST_F(KvCacheWriteCpu, EveryKernelAgreesWithTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    KvCacheWrite op{.batch = *rc::gen::inRange(1, 5),
                    .isl = *rc::gen::element<int64_t>(1, 3, 64, 70, 130),
                    .kv_heads = *rc::gen::inRange(1, 4),
                    .head_dim = *rc::gen::inRange(2, 140),
                    .dtype = *rc::gen::element(DType::f32, DType::bf16),
                    .kv_dtype = *rc::gen::element(DType::f32, DType::bf16, DType::fp8_e4m3),
                    .step = *rc::gen::element<int64_t>(0, 1, 63, 64, 200)};
    if (*rc::gen::arbitrary<bool>())
      op.kv_heads = 1, op.rope_dim = *rc::gen::inRange<int64_t>(1, op.head_dim);
    const std::string failures = failures_of(op);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked_, 100);  // the portable loop takes every one
}

TEST_F(KvCacheWriteCpu, LatentOfDeepSeekAgrees) {
  EXPECT_EQ(failures_of(KvCacheWrite{.batch = 3, .isl = 5, .head_dim = 576, .rope_dim = 64, .step = 100}),
            "");
}

TEST_F(KvCacheWriteCpu, TypesWithoutAKernelSayWhy) {
  for (const std::string& reason : reasons(KvCacheWrite{.dtype = DType::f16}))
    EXPECT_EQ(reason, "no CPU loop takes float16: only float32 and bfloat16");
  for (const std::string& reason : reasons(KvCacheWrite{.kv_dtype = DType::f16}))
    EXPECT_EQ(reason, "no CPU loop takes float16: only float32 and bfloat16");
}

}  // namespace
}  // namespace perfatlas
