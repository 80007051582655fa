// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/logits_sample/logits_sample.h"

namespace perfatlas {

void add_logits_sample_cpu_kernels(KernelRegistry& registry);

namespace {

class LogitsSampleCpu : public KernelChecks {
 protected:
  LogitsSampleCpu() : KernelChecks(&add_logits_sample_cpu_kernels) {}
};

/// bf16 logits of normal(0, 1) have many ties, so the order of equal ones is tested, too.
TEST_F(LogitsSampleCpu, EveryKernelDrawsTheTokensOfTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    LogitsSample op{.dtype = *rc::gen::element(DType::f32, DType::bf16),
                    .batch = *rc::gen::inRange(1, 6),
                    .vocab = *rc::gen::inRange(1, 3000)};
    op.topk = *rc::gen::element<int64_t>(1, std::min<int64_t>(2, op.vocab), std::min<int64_t>(50, op.vocab),
                                         op.vocab);
    const std::string failures = failures_of(op);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked_, 100);  // the portable loop takes every one
}

TEST_F(LogitsSampleCpu, VocabulariesOfModelsAgree) {
  for (const int64_t batch : {1, 3})
    for (const int64_t topk : {1, 40, 1024})
      EXPECT_EQ(failures_of(LogitsSample{.batch = batch, .vocab = 151936, .topk = topk}), "");
}

TEST_F(LogitsSampleCpu, TypesWithoutAKernelSayWhy) {
  for (const std::string& reason : reasons(LogitsSample{.dtype = DType::f16}))
    EXPECT_EQ(reason, "no CPU loop takes float16: only float32 and bfloat16");
}

}  // namespace
}  // namespace perfatlas
