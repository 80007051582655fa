// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/wide_ep_moe/wide_ep_moe.h"

#include <gtest/gtest.h>

#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

std::vector<OpType> all_types() {
  return {make_op_type<MoeLowLatency>(),       make_op_type<WideEpContextMoe>(),
          make_op_type<WideEpGenerationMoe>(), make_op_type<WideEpMoe>(),
          make_op_type<ExpertCompute>(),       make_op_type<WideEpContextMlp>(),
          make_op_type<WideEpGenerationMlp>(), make_op_type<MegaMoe>()};
}

TEST(WideEpMoe, TablesAreImportedOnlyAndDefaultsMakeSense) {
  for (const OpType& type : all_types()) {
    EXPECT_FALSE(type.measurable()) << type.info.id;
    EXPECT_EQ(type.why_invalid(type.defaults()), "") << type.info.id;
    EXPECT_GT(type.work(type.defaults()).flops, 0) << type.info.id;
  }
}

TEST(WideEpMoe, ColumnsAreThoseOfPublishedTables) {
  const OpType type = make_op_type<WideEpMoe>();
  EXPECT_EQ(fields_text({&type, type.defaults()}),
            "op_name=wideep_moe kernel_source=wideep_compute_cutlass moe_kernel=cutlass dp_num_tokens=1 "
            "rank0_num_tokens=1 num_slots=256 simulation_mode=accurate moe_dtype=fp8_block num_tokens=1 "
            "hidden_size=7168 inter_size=2048 topk=8 num_experts=256 moe_tp_size=1 moe_ep_size=1 "
            "distribution=balanced");
}

TEST(WideEpMoe, ARankWorksForItsShareOfTheChoicesAndReadsTheExpertsTheyTouch) {
  const ExpertLoad few{
      .tokens = 4, .hidden = 10, .inter = 20, .topk = 2, .slots = 64, .tp = 2, .ep = 4, .dtype = Quant::fp8};
  EXPECT_EQ(few.work().flops, 2.0 * (4 * 2 / 4) * 3 * 10 * 20 / 2) << "two choices reach the rank";
  EXPECT_EQ(few.work().weight_bytes_read, 2.0 * 3 * 10 * 20 / 2) << "and touch two experts";
  ExpertLoad many = few;
  many.tokens = 1000;
  EXPECT_EQ(many.work().weight_bytes_read, 16.0 * 3 * 10 * 20 / 2) << "all sixteen of the rank";
}

TEST(WideEpMoe, CopiesOfExpertsAreReadToo) {
  WideEpMoe op;
  op.tokens = 100000, op.ep = 8;
  const double without = op.work().weight_bytes_read;
  op.slots = 288;
  EXPECT_EQ(op.work().weight_bytes_read / without, 288.0 / 256);
}

}  // namespace
}  // namespace perfatlas
