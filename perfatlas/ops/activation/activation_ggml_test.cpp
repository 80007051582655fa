// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/ops/activation/activation.h"

namespace perfatlas {

void add_activation_ggml_kernels(KernelRegistry& registry);

namespace {

constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16};

TEST(ActivationGgml, EveryKindAgreesWithTheReferenceOnOddShapes) {
  KernelRegistry kernels;
  add_activation_ggml_kernels(kernels);
  for (const EnumName<ActivationKind>& kind : kEnumNames<ActivationKind>)
    for (const DType dtype : kTypes)
      for (const int64_t tokens : {1, 3, 130})
        for (const int64_t inter : {7, 33, 1024}) {
          const bool gelu = kind.name.starts_with("gelu");
          EXPECT_EQ(check_ggml_kernels<Activation>({kind.value, dtype, tokens, inter}, kernels),
                    gelu && dtype == DType::f32 ? 0 : 1);
        }
}

TEST(ActivationGgml, KindsOfOtherKernelsAreRefusedInWords) {
  KernelRegistry kernels;
  add_activation_ggml_kernels(kernels);
  EXPECT_EQ(kernels.entries().front().why_unsupported(encode(Activation{ActivationKind::relu2}),
                                                      ggml_test_device()),
            "computes silu_mul only");
}

}  // namespace
}  // namespace perfatlas
