// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/wide_ep_mla/wide_ep_mla.h"

#include <gtest/gtest.h>

#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

constexpr double kWeightsPerHead = 1536 * 192 + 512 * 256 + 128 * 7168;

TEST(WideEpMla, TablesAreImportedOnlyAndOlderOnesLackColumns) {
  const OpType context = make_op_type<WideEpContextMla>();
  EXPECT_FALSE(context.measurable());
  EXPECT_EQ(context.why_invalid(context.defaults()), "");
  for (const char* const column : {"model", "architecture", "gemm_type"})
    EXPECT_TRUE(bool(context.fields[*context.find_field(column)].absent)) << column;
  FieldValues values = context.defaults();
  values[*context.find_field("mla_dtype")] = int64_t(Quant::bf16);
  EXPECT_EQ(context.fields[*context.find_field("gemm_type")].absent(values), int64_t(Quant::bf16));
}

TEST(WideEpMla, ContextWorkIsProjectionsPlusCausalPairs) {
  WideEpContextMla op;
  op.heads = 2, op.batch = 3, op.isl = 4, op.step = 5;
  const double pairs = 6 + 7 + 8 + 9;
  EXPECT_EQ(op.work().flops, 2 * 12 * 2 * kWeightsPerHead + 2 * 3 * 2 * 320 * pairs);
  EXPECT_EQ(op.work().kv_bytes_read, 3 * 5 * 576);
}

TEST(WideEpMla, GenerationReadsTheCacheOfAllSequences) {
  WideEpGenerationMla op;
  op.heads = 2, op.batch = 3, op.isl = 8, op.step = 2;
  EXPECT_EQ(op.work().flops, 2 * 3 * 2 * kWeightsPerHead + 2 * 30 * 2 * 1088.0);
  EXPECT_EQ(op.work().kv_bytes_read, 30 * 576);
  EXPECT_EQ(make_op_type<WideEpGenerationMla>().axes[2].get(encode(op)), 10);
}

}  // namespace
}  // namespace perfatlas
