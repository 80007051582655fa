// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>

#include "perfatlas/backends/cpu/kernel_checks_test.h"
#include "perfatlas/ops/embedding/embedding.h"

namespace perfatlas {

void add_embedding_cpu_kernels(KernelRegistry& registry);

namespace {

class EmbeddingCpu : public KernelChecks {
 protected:
  EmbeddingCpu() : KernelChecks(&add_embedding_cpu_kernels) {}
};

TEST_F(EmbeddingCpu, EveryTypeAgreesWithTheReferenceOnRandomShapes) {
  EXPECT_TRUE(rc::check([&] {
    const Embedding op{.dtype = *rc::gen::element(DType::f32, DType::f16, DType::bf16),
                       .tokens = *rc::gen::inRange(1, 100),
                       .hidden = *rc::gen::inRange(1, 300),
                       .vocab = *rc::gen::inRange(1, 500)};
    const std::string failures = failures_of(op);
    RC_ASSERT(failures == "");
  }));
  EXPECT_GE(checked_, 100);
}

}  // namespace
}  // namespace perfatlas
