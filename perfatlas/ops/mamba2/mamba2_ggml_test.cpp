// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {

void add_mamba2_ggml_kernels(KernelRegistry& registry);

namespace {

TEST(Mamba2Ggml, EverySubKernelAgreesWithTheReference) {
  KernelRegistry kernels;
  add_mamba2_ggml_kernels(kernels);
  for (const std::string_view name : Mamba2::kSubKernels) {
    const bool prompts = name == Mamba2::kConvFn || name == Mamba2::kChunkScan;
    for (const int64_t batch : {1, 3})
      for (const int64_t seq : prompts ? std::vector<int64_t>{1, 2, 37, 130} : std::vector<int64_t>{1}) {
        const Mamba2 op{.kernel = Symbol(name),
                        .phase = prompts ? LinearPhase::context : LinearPhase::generation,
                        .batch = batch,
                        .seq = seq,
                        .tokens = batch * seq,
                        .d_state = 32,
                        .heads = 6,
                        .head_dim = 16,
                        .groups = 2};
        EXPECT_EQ(check_ggml_kernels(op, kernels), 1);
      }
  }
}

TEST(Mamba2Ggml, TheOtherStepIsRefusedInWords) {
  KernelRegistry kernels;
  add_mamba2_ggml_kernels(kernels);
  const FieldValues conv = encode(Mamba2{.kernel = Symbol(Mamba2::kConvFn)});
  EXPECT_EQ(kernels.entries()[0].why_unsupported(conv, ggml_test_device()), "computes the recurrence only");
  EXPECT_EQ(kernels.entries()[1].why_unsupported(conv, ggml_test_device()), "");
}

}  // namespace
}  // namespace perfatlas
