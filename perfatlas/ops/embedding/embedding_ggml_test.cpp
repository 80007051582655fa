// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/embedding/embedding.h"

namespace perfatlas {

void add_embedding_ggml_kernels(KernelRegistry& registry);

namespace {

constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16};

TEST(EmbeddingGgml, AgreesWithTheReferenceOnOddShapes) {
  KernelRegistry kernels;
  add_embedding_ggml_kernels(kernels);
  for (const DType dtype : kTypes)
    for (const int64_t tokens : {1, 3, 130})
      for (const int64_t hidden : {1, 100, 1024})
        EXPECT_EQ(check_ggml_kernels<Embedding>({dtype, tokens, hidden, 77}, kernels), 1);
}

}  // namespace
}  // namespace perfatlas
