// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/msa/msa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace perfatlas {
namespace {

template <class Op>
size_t published(AicGrid grid) {
  std::set<FieldValues> cases;
  size_t count = 0;
  Op::aic_cases(grid, [&](const Op& op) {
    EXPECT_EQ(op.why_invalid(), "");
    cases.insert(encode(op));
    ++count;
  });
  EXPECT_EQ(cases.size(), count) << "repeated cases";
  return count;
}

TEST(Msa, PublishedGridHasTheKnownCounts) {
  EXPECT_EQ(published<MsaContextModule>({.sm_version = 90}), 3904);
  EXPECT_EQ(published<MsaContextModule>({.sm_version = 100}), 5856);
  EXPECT_EQ(published<MsaGenerationModule>({.sm_version = 90}), 2944);
  EXPECT_EQ(published<MsaGenerationModule>({.sm_version = 100}), 4416);
}

TEST(Msa, TablesAreImportedOnly) {
  EXPECT_FALSE(make_op_type<MsaContextModule>().measurable());
  EXPECT_FALSE(make_op_type<MsaGenerationModule>().measurable());
}

TEST(Msa, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<MsaContextModule>();
  EXPECT_EQ(fields_text({&type, type.defaults()}),
            "model=MiniMaxAI/MiniMax-M3 architecture=MiniMaxM3ForCausalLM mla_dtype=bfloat16 "
            "kv_cache_dtype=bfloat16 "
            "gemm_type=bfloat16 num_heads=1 batch_size=1 isl=1 tp_size=1 step=0");
}

/// Attention alone: what a longer prompt adds beyond its linear layers, by brute force.
TEST(Msa, ContextAttendsToAtMostTheSelectedTokens) {
  MsaContextModule op;
  op.heads = 8, op.isl = 3000, op.step = 500;
  double pairs = 0;
  for (int64_t i = 0; i < op.isl; ++i) pairs += double(std::min<int64_t>(op.step + i + 1, 2048));
  const double blocks = (3500 + 127) / 128;
  const double linear = 6144.0 * 8 * 128 + 6144.0 * 2 * 128 + 8 * 128 * 6144.0 + 6144.0 * 512;
  EXPECT_DOUBLE_EQ(op.work().flops, 2 * 3000 * linear + 2 * 8 * 256 * pairs + 2 * 3000.0 * 512 * blocks);
}

TEST(Msa, TheIndexerOnlyWorksBeyondTheSelectedTokens) {
  MsaGenerationModule near, far;
  near.heads = far.heads = 8;
  near.step = 2048, far.step = 2049;
  EXPECT_EQ(near.work().math, DType::bf16);
  EXPECT_EQ(far.work().math, DType::fp8_e4m3);
  EXPECT_DOUBLE_EQ(far.work().flops - near.work().flops,
                   2.0 * 512 * 17);  // blocks of 128 tokens, the attention alike
}

TEST(Msa, SenselessCasesSayWhy) {
  MsaContextModule op;
  op.step = -1;
  EXPECT_EQ(op.why_invalid(), "step must not be negative");
  op.step = 0;
  op.batch = 0;
  EXPECT_NE(op.why_invalid(), "");
  op.batch = 1;
  op.architecture = Symbol("LlamaForCausalLM");
  EXPECT_NE(op.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
