// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"

namespace perfatlas {

void add_add_rms_norm_ggml_kernels(KernelRegistry& registry);

namespace {

constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16};

TEST(AddRmsNormGgml, AgreesWithTheReferenceOnOddShapes) {
  KernelRegistry kernels;
  add_add_rms_norm_ggml_kernels(kernels);
  for (const DType dtype : kTypes)
    for (const int64_t tokens : {1, 3, 130})
      for (const int64_t hidden : {1, 15, 100, 4096})
        EXPECT_EQ(check_ggml_kernels<AddRmsNorm>({dtype, tokens, hidden}, kernels), 1);
}

}  // namespace
}  // namespace perfatlas
