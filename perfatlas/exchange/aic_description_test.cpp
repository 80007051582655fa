// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

SystemSpec probed() {
  SystemSpec spec{.system = "box", .device = "A box", .kind = "cpu", .memory_bytes = 64e9};
  spec.memory_bandwidth.measured = 100e9;
  spec.flops[DType::bf16] = {.datasheet = 9e12, .measured = 1.5e12};
  spec.flops[DType::int8] = {.datasheet = 3e12};
  return spec;
}

const AicDescriptionGiven kGiven{.gpus_per_node = 2,
                                 .inter_node_bw = 1e9,
                                 .p2p_latency_s = 7e-6,
                                 .nccl_mem = {{1, 0}, {2, 1e6}},
                                 .other_mem = 5e6};

TEST(AicDescription, IsReadBackAsItWasMade) {
  const MeasuredLinks links{.bandwidth = 12345678901.5, .bandwidth_origin = "p2p"};
  const AicDescription made = describe_for_aic(probed(), links, kGiven, "4.1.4");
  const AicSystem read = parse_aic_system(aic_description_yaml(made), "box", "box.yaml");
  EXPECT_EQ(read.data_dir, "data/box");
  EXPECT_EQ(read.mem_bw, 100e9);
  EXPECT_EQ(read.mem_bw_scaling, 1);
  EXPECT_EQ(read.mem_capacity, 64e9);
  EXPECT_EQ(read.tc_flops,
            (std::map<std::string, double, std::less<>>{{"bfloat16", 1.5e12}, {"int8", 3e12}}));
  EXPECT_EQ(read.sm_version, std::nullopt);
  EXPECT_EQ(read.power_w, std::nullopt);
  EXPECT_EQ(read.gpus_per_node, 2);
  EXPECT_EQ(read.intra_node_bw, 12345678901.5);
  EXPECT_EQ(read.inter_node_bw, 1e9);
  EXPECT_EQ(read.p2p_latency_s, 7e-6);
  EXPECT_EQ(read.nccl_mem, (std::map<int, double>{{1, 0}, {2, 1e6}}));
  EXPECT_EQ(read.other_mem, 5e6);
  EXPECT_EQ(read.nccl_version, "4.1.4");
}

TEST(AicDescription, NumbersWithAnExponentHaveAPointAndTextsStayTexts) {
  const std::string text =
      aic_description_yaml(describe_for_aic(probed(), {.bandwidth = 1e9}, kGiven, "2.27"));
  EXPECT_THAT(text, HasSubstr("p2p_latency: 7.0e-06"));
  EXPECT_THAT(text, HasSubstr("nccl_version: '2.27'"));
  EXPECT_THAT(text, HasSubstr("bfloat16_tc_flops: 1500000000000  # measured by probe"));
  EXPECT_THAT(text, HasSubstr("int8_tc_flops: 3000000000000  # from the data sheet"));
}

std::string refusal(const SystemSpec& spec, const MeasuredLinks& links, const AicDescriptionGiven& given) {
  try {
    (void)describe_for_aic(spec, links, given, "");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(AicDescription, WhatNobodyKnowsIsAskedForByItsOption) {
  AicDescriptionGiven given;
  EXPECT_THAT(refusal(probed(), {}, given), HasSubstr("give --gpus-per-node"));
  given.gpus_per_node = 2;
  EXPECT_THAT(refusal(probed(), {}, given), HasSubstr("give --intra-node-bw"));
  EXPECT_THAT(refusal(probed(), {.bandwidth = 1e9}, given), HasSubstr("give --inter-node-bw"));
  given.inter_node_bw = 1e9;
  EXPECT_THAT(refusal(probed(), {.bandwidth = 1e9}, given), HasSubstr("give --p2p-latency"));
  const MeasuredLinks measured{.bandwidth = 1e9, .latency_s = 1e-6};
  EXPECT_THAT(refusal(probed(), measured, given), HasSubstr("give --other-mem"));
  given.other_mem = 0;
  EXPECT_THAT(refusal(probed(), measured, given), HasSubstr("give --nccl-mem"));
  given.nccl_mem = {{1, 0}};
  EXPECT_EQ(refusal(probed(), measured, given), "accepted");
  SystemSpec blank = probed();
  blank.memory_bandwidth = {};
  EXPECT_THAT(refusal(blank, measured, given), HasSubstr("run perfatlas probe"));
}

TEST(MeasuredLinksOf, LargestMessageGivesTheBandwidthAndSmallestTheLatency) {
  const OpRegistry ops = all_ops();
  const auto message = [&](int64_t elements, double ms) {
    Row row{
        .c = {&ops.get("p2p"), encode(P2p{.dtype = MessageType::half, .ranks = 2, .elements = elements})}};
    row.measured = {ms};
    return row;
  };
  const MeasuredLinks links = links_of({message(1 << 20, 1), message(4, 0.002), message(1 << 20, 0.5)});
  EXPECT_DOUBLE_EQ(links.bandwidth.value_or(0), 2 * (1 << 20) / 0.5e-3);
  EXPECT_DOUBLE_EQ(links.latency_s.value_or(0), 2e-6);
  EXPECT_THAT(links.bandwidth_origin, HasSubstr("message_size=1048576"));
  EXPECT_EQ(links_of({}).bandwidth, std::nullopt);
}

}  // namespace
}  // namespace perfatlas
