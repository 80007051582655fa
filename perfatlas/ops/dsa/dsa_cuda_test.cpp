// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/dsa/dsa_attention.h"
#include "perfatlas/ops/dsa/dsa_mqa_logits.h"
#include "perfatlas/ops/dsa/dsa_topk.h"

namespace perfatlas {
void add_dsa_cuda_kernels(KernelRegistry&);
namespace {

struct DsaCuda : CudaKernelChecks {
  DsaCuda() : CudaKernelChecks(&add_dsa_cuda_kernels) {}

  /// A block a thousand times smaller than a model's, whose top-k is small.
  template <class Op>
  static Op tiny(int64_t isl, int64_t step) {
    Op op;
    op.architecture = Symbol("TinyDsa");
    op.heads = 2, op.batch = 2, op.isl = isl, op.step = step;
    return op;
  }
};

TEST_F(DsaCuda, EveryStepEqualsTheReference) {
  for (const auto& [isl, step] : {std::pair{1, 300}, {5, 0}, {3, 1100}}) {
    EXPECT_EQ(failures_of(tiny<DsaMqaLogits>(isl, step)), "");
    EXPECT_EQ(failures_of(tiny<DsaTopk>(isl, step)), "");
    EXPECT_EQ(failures_of(tiny<DsaAttention>(isl, step)), "");
  }
  EXPECT_EQ(checked_, 9);
}

TEST_F(DsaCuda, EqualScoresKeepTheLowerPositions) {
  DsaTopk flat = tiny<DsaTopk>(2, 500);
  flat.mode = ScoreMode::flat;
  EXPECT_EQ(failures_of(flat), "");
  EXPECT_EQ(checked_, 1);
}

TEST_F(DsaCuda, ReadsAnFp8Cache) {
  DsaAttention attention = tiny<DsaAttention>(1, 200);
  attention.kv_dtype = DType::fp8_e4m3;
  EXPECT_EQ(failures_of(attention), "");
  EXPECT_EQ(checked_, 1);
}

}  // namespace
}  // namespace perfatlas
