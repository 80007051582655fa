// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {

void add_rope_ggml_kernels(KernelRegistry& registry);

namespace {

TEST(RopeGgml, AgreesWithTheReference) {
  KernelRegistry kernels;
  add_rope_ggml_kernels(kernels);
  for (const DType dtype : {DType::f16, DType::bf16})
    for (const int64_t tokens : {1, 7, 64}) {
      const Rope whole{.dtype = dtype,
                       .tokens = tokens,
                       .heads = 4,
                       .kv_heads = 2,
                       .head_dim = 64,
                       .rotary_dim = 64,
                       .positions = 512};
      Rope part = whole, latent = whole;
      part.rotary_dim = 32;
      latent.kv_heads = 1;
      latent.head_dim = 192;
      latent.rotary_offset = 128;
      for (const Rope& op : {whole, part, latent}) EXPECT_EQ(check_ggml_kernels(op, kernels), 1);
    }
}

TEST(RopeGgml, Float32AgreesWithTheReferenceWithinWhatItsAnglesAllow) {
  KernelRegistry kernels;
  add_rope_ggml_kernels(kernels);
  for (const int64_t positions : {64, 8192, 131072})
    EXPECT_EQ(check_ggml_kernels<Rope>({.dtype = DType::f32,
                                        .tokens = 33,
                                        .heads = 3,
                                        .kv_heads = 3,
                                        .head_dim = 128,
                                        .rotary_dim = 128,
                                        .positions = positions},
                                       kernels),
              1);
}

}  // namespace
}  // namespace perfatlas
