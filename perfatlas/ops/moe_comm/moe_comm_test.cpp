// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe_comm/moe_comm.h"

#include <gtest/gtest.h>

#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

TEST(MoeComm, ColumnsAreThoseOfPublishedTables) {
  const auto text = [](const OpType& type) { return fields_text({&type, type.defaults()}); };
  EXPECT_EQ(text(make_op_type<TrtllmAllToAll>()),
            "op_name=alltoall_dispatch kernel_source=NVLinkTwoSided moe_dtype=bfloat16 num_tokens=1 "
            "hidden_size=7168 "
            "topk=8 num_experts=256 moe_ep_size=4 distribution=balanced");
  EXPECT_EQ(
      text(make_op_type<MoeAllToAll>()),
      "comm_backend=deepep_ht phase=dispatch comm_dtype=default ep_size=8 node_num=1 hidden_size=7168 topk=8 "
      "num_experts=256 num_tokens=1 sms=0");
  EXPECT_EQ(
      text(make_op_type<DeepEpNormal>()),
      "node_num=1 hidden_size=7168 num_token=1 num_topk=8 num_experts=256 dispatch_sms=20 combine_sms=20");
  EXPECT_EQ(text(make_op_type<DeepEpLowLatency>()),
            "node_num=1 hidden_size=7168 num_token=1 num_topk=8 num_experts=256");
}

TEST(MoeComm, TablesAreImportedOnlyAndDefaultsMakeSense) {
  for (const OpType& type : {make_op_type<TrtllmAllToAll>(), make_op_type<MoeAllToAll>(),
                             make_op_type<DeepEpNormal>(), make_op_type<DeepEpLowLatency>()}) {
    EXPECT_FALSE(type.measurable()) << type.info.id;
    EXPECT_EQ(type.why_invalid(type.defaults()), "") << type.info.id;
    EXPECT_GT(type.work(type.defaults()).bytes(), 0) << type.info.id;
  }
}

TEST(MoeComm, ATokenGoesToNoMoreRanksThanThereAre) {
  TrtllmAllToAll op{.tokens = 10, .hidden = 100, .topk = 8, .experts = 256, .ep = 4};
  EXPECT_EQ(op.work().bytes(), 10 * 3 * 100 * 2) << "three other ranks, 16 bits";
  op.ep = 64;
  EXPECT_EQ(op.work().bytes(), 10 * 8 * 100 * 2) << "eight experts";
  op.phase = Symbol("alltoall_combine_low_precision");
  EXPECT_EQ(op.work().bytes(), 10 * 8 * 100 * 0.5);
  op.phase = Symbol("alltoall_prepare");
  EXPECT_EQ(op.work().bytes(), 10 * 8 * 4);
  op.ep = 1;
  EXPECT_NE(op.why_invalid(), "");
}

TEST(MoeComm, DeepEpSendsEightBitsAndGetsSixteenBack) {
  DeepEpNormal op;
  op.tokens = 10, op.hidden = 100;
  EXPECT_EQ(op.work().bytes(), 10 * 7 * 100 * 3.0) << "seven other ranks of one node";
  MoeAllToAll dispatch{.tokens = 10}, combine{.phase = Symbol("combine"), .tokens = 10};
  dispatch.hidden = combine.hidden = 100;
  EXPECT_EQ(dispatch.work().bytes() + combine.work().bytes(), op.work().bytes());
}

}  // namespace
}  // namespace perfatlas
