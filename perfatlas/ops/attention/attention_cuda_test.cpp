// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/attention/attention.h"

namespace perfatlas {
void add_attention_cuda_kernels(KernelRegistry&);
namespace {

using testing::HasSubstr;

struct AttentionCuda : CudaKernelChecks {
  AttentionCuda() : CudaKernelChecks(&add_attention_cuda_kernels) {}
};

TEST_F(AttentionCuda, ContextEqualsTheReference) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const int64_t window : {0, 7})
      EXPECT_EQ(failures_of(AttentionContext{.batch = 2,
                                             .isl = 9,
                                             .heads = 4,
                                             .kv_heads = 2,
                                             .head_dim = 32,
                                             .window = window,
                                             .dtype = type,
                                             .kv_dtype = type,
                                             .step = 130}),
                "");
  EXPECT_EQ(checked_, 6);
}

TEST_F(AttentionCuda, GenerationEqualsTheReferenceOverSeveralChunksOfScores) {
  for (const DType cache : {DType::bf16, DType::fp8_e4m3})
    EXPECT_EQ(failures_of(AttentionGeneration{
                  .batch = 2, .heads = 6, .kv_heads = 2, .head_dim = 64, .kv_dtype = cache, .step = 1100}),
              "");
  EXPECT_EQ(checked_, 2);
}

TEST_F(AttentionCuda, RefusesWithAReason) {
  for (const std::string& reason : reasons(AttentionGeneration{.dtype = DType::fp8_e4m3, .step = 5}))
    EXPECT_THAT(reason, HasSubstr("computes in fp8"));
  for (const std::string& reason : reasons(AttentionGeneration{.kv_dtype = DType::int8, .step = 5}))
    EXPECT_THAT(reason, HasSubstr("no CUDA kernel reads a int8 cache"));
  const auto groups = reasons(AttentionGeneration{.heads = 5, .step = 5});
  EXPECT_THAT(groups[1], HasSubstr("no group of 5 query heads"));
}

TEST_F(AttentionCuda, RefusesQueriesBeyondTheOffsetsOfTheLibrary) {
  const AttentionContext most{.batch = 8, .isl = 65536, .heads = 64};
  EXPECT_EQ(most.batch * most.isl * most.heads * most.head_dim, int64_t(1) << 32);
  EXPECT_THAT(reasons(most)[1], HasSubstr("in 32 bits"));
}

TEST_F(AttentionCuda, CudnnRefusesWithAReason) {
  const auto reason = [&](const AttentionGeneration& op) { return reasons(op).at(3); };
  EXPECT_THAT(reason({.dtype = DType::f32, .kv_dtype = DType::f32, .step = 5}), HasSubstr("not in float32"));
  EXPECT_THAT(reason({.kv_dtype = DType::fp8_e4m3, .step = 5}), HasSubstr("of one type"));
  EXPECT_THAT(reason({.head_dim = 512, .step = 5}), HasSubstr("no head size of 512"));
  // The stand-in library is there; whether the unit is depends on the build.
  EXPECT_THAT(reason({.step = 5}), testing::AnyOf("", HasSubstr("this build has no cudnn_attention"),
                                                  HasSubstr("without the headers of FlashInfer")));
}

TEST_F(AttentionCuda, NamesWhatTheBuildLacks) {
  // No build has a unit of 80 elements per head.
  EXPECT_THAT(reasons(AttentionContext{.isl = 4, .head_dim = 80})[1],
              testing::AnyOf(HasSubstr("this build has no flashinfer_prefill_bf16_bf16_80"),
                             HasSubstr("without the headers of FlashInfer")));
}

}  // namespace
}  // namespace perfatlas
