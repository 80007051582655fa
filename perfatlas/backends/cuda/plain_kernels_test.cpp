// SPDX-License-Identifier: Apache-2.0
// The plain kernels of small ops, run on the host by the same code that runs on a GPU, against the references.
#include "perfatlas/backends/cuda/cuda_kernels.h"
#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/activation/activation.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"
#include "perfatlas/ops/embedding/embedding.h"
#include "perfatlas/ops/encoder_attention/encoder_attention.h"
#include "perfatlas/ops/gdn/gdn.h"
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"
#include "perfatlas/ops/logits_sample/logits_sample.h"
#include "perfatlas/ops/mamba2/mamba2.h"
#include "perfatlas/ops/quantize/quantize.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"

namespace perfatlas {
namespace {

constexpr DType kTypes[] = {DType::f32, DType::bf16, DType::f16};

struct PlainKernels : CudaKernelChecks {
  PlainKernels() : CudaKernelChecks(&add_all_cuda_kernels) {}
};

TEST_F(PlainKernels, NormsEqualTheReference) {
  for (const DType type : kTypes) {
    EXPECT_EQ(failures_of(RmsNorm{.dtype = type, .tokens = 3, .hidden = 300}), "");
    EXPECT_EQ(failures_of(AddRmsNorm{.dtype = type, .tokens = 3, .hidden = 300}), "");
  }
  EXPECT_EQ(checked_, 6);
}

TEST_F(PlainKernels, ActivationsEqualTheReference) {
  using enum ActivationKind;
  for (const DType type : kTypes)
    for (const ActivationKind kind : {silu_mul, gelu_mul, gelu, relu2})
      EXPECT_EQ(failures_of(Activation{.kind = kind, .dtype = type, .tokens = 3, .inter = 130}), "");
  EXPECT_EQ(checked_, 12);
}

TEST_F(PlainKernels, EmbeddingEqualsTheReference) {
  for (const DType type : kTypes)
    EXPECT_EQ(failures_of(Embedding{.dtype = type, .tokens = 9, .hidden = 70, .vocab = 50}), "");
  EXPECT_EQ(checked_, 3);
}

TEST_F(PlainKernels, CacheWritesEqualTheReferenceForHeadsAndForTheLatent) {
  for (const DType cache : {DType::bf16, DType::fp8_e4m3}) {
    EXPECT_EQ(failures_of(KvCacheWrite{
                  .batch = 2, .isl = 3, .kv_heads = 2, .head_dim = 32, .kv_dtype = cache, .step = 63}),
              "");
    EXPECT_EQ(
        failures_of(KvCacheWrite{.batch = 2, .isl = 2, .head_dim = 576, .rope_dim = 64, .kv_dtype = cache}),
        "");
  }
  EXPECT_EQ(checked_, 4);
}

TEST_F(PlainKernels, QuantisersEqualTheReference) {
  for (const Quant quant : {Quant::fp8, Quant::int8, Quant::fp8_rowwise, Quant::fp8_block}) {
    EXPECT_EQ(failures_of(ComputeScale{.m = 5, .k = 300, .dtype = quant}), "");
    EXPECT_EQ(failures_of(ScaleMatrix{.m = 5, .k = 300, .dtype = quant}), "");
  }
  EXPECT_EQ(checked_, 8);
}

TEST_F(PlainKernels, EncoderAttentionEqualsTheReference) {
  for (const DType type : kTypes)
    EXPECT_EQ(failures_of(EncoderAttention{.batch = 2, .isl = 19, .heads = 3, .head_dim = 40, .dtype = type}),
              "");
  EXPECT_EQ(checked_, 3);
}

TEST_F(PlainKernels, CudnnRefusesEncodersThatItDoesNotHave) {
  const auto reason = [&](const EncoderAttention& op) { return reasons(op)[0]; };
  EXPECT_NE(reason({.dtype = DType::f32}).find("not in float32"), std::string::npos);
  EXPECT_NE(reason({.head_dim = 12}).find("no head size of 12"), std::string::npos);
}

TEST_F(PlainKernels, SamplingDrawsTheTokenOfTheReference) {
  for (const DType type : kTypes)
    for (const int64_t topk : {1, 5, 40})
      EXPECT_EQ(failures_of(LogitsSample{.dtype = type, .batch = 4, .vocab = 700, .topk = topk}), "");
  EXPECT_EQ(checked_, 9);
}

TEST_F(PlainKernels, EverySubKernelOfMamba2EqualsTheReference) {
  for (const std::string_view name : Mamba2::kSubKernels) {
    const bool prompt = name == Mamba2::kConvFn || name == Mamba2::kChunkScan;
    Mamba2 op{.kernel = Symbol(name), .phase = prompt ? LinearPhase::context : LinearPhase::generation};
    op.batch = 2, op.seq = prompt ? 7 : 1, op.tokens = op.batch * op.seq;
    op.d_state = 16, op.heads = 4, op.head_dim = 8, op.groups = 2;
    EXPECT_EQ(failures_of(op), "");
  }
  EXPECT_EQ(checked_, 4);
}

TEST_F(PlainKernels, EverySubKernelOfGdnEqualsTheReference) {
  for (const std::string_view name : Gdn::kSubKernels) {
    const bool prompt = name == Gdn::kConvFn || name == Gdn::kChunkRule;
    Gdn op{.kernel = Symbol(name), .phase = prompt ? LinearPhase::context : LinearPhase::generation};
    op.batch = 2, op.seq = prompt ? 5 : 1, op.tokens = op.batch * op.seq;
    op.k_heads = 2, op.k_dim = 16, op.v_heads = 4, op.v_dim = 24;
    EXPECT_EQ(failures_of(op), "");
  }
  EXPECT_EQ(checked_, 4);
}

}  // namespace
}  // namespace perfatlas
