// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {

void add_moe_ggml_kernels(KernelRegistry& registry);

namespace {

constexpr Quant kTypes[] = {Quant::f32, Quant::f16, Quant::bf16, Quant::q8_0, Quant::q4_0, Quant::q4_k};

TEST(MoeGgml, AgreesWithTheReference) {
  KernelRegistry kernels;
  add_moe_ggml_kernels(kernels);
  int checked = 0;
  for (const Quant quant : kTypes)
    for (const int64_t tokens : {1, 5, 40})
      for (const int64_t topk : {1, 3})
        checked += check_ggml_kernels<Moe>({.dtype = quant,
                                            .tokens = tokens,
                                            .hidden = 256,
                                            .inter = 512,
                                            .topk = topk,
                                            .experts = 4,
                                            .tp = 2,
                                            .gated = tokens != 5},
                                           kernels);
  EXPECT_GE(checked, int(std::size(kTypes)) * 6);  // the plain layout takes all
}

TEST(MoeGgml, WhatLlamaCppDoesNotDoIsRefusedInWords) {
  KernelRegistry kernels;
  add_moe_ggml_kernels(kernels);
  const auto why = [&](const Moe& op) {
    return kernels.entries().back().why_unsupported(encode(op), ggml_test_device());
  };
  EXPECT_EQ(why({.hidden = 64, .inter = 64, .experts = 4, .ep = 2}), "llama.cpp has no expert parallelism");
  EXPECT_NE(why({.dtype = Quant::fp8, .hidden = 64, .inter = 64}).find("no weights of type fp8"),
            std::string::npos);
}

}  // namespace
}  // namespace perfatlas
