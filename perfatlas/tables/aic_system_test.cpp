// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/aic_system.h"

#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

constexpr const char* kRack = R"(
data_dir: data/rack
gpu:
  mem_bw: 8000000000000
  mem_bw_empirical_scaling_factor: 0.8
  mem_empirical_constant_latency: 0.000003
  mem_capacity: 198674743296
  bfloat16_tc_flops: 2500000000000000
  fp4_tc_flops: 10000000000000000
  power: 1200
  sm_version: 100
node:
  num_gpus_per_node: 4
  num_gpus_per_rack: 72
  inter_rack_bw: 100000000000
  inter_node_bw: 800000000000
  intra_node_bw: 900000000000
  p2p_latency: 0.00001
misc:
  nccl_mem:
    1: 0
    8: 411041792
  other_mem: 3758096384
  nccl_version: '2.23'
)";

TEST(AicSystem, EveryKeyIsRead) {
  const AicSystem system = parse_aic_system(kRack, "rack", "rack.yaml");
  EXPECT_EQ(system.data_dir, "data/rack");
  EXPECT_EQ(system.mem_bw, 8e12);
  EXPECT_EQ(system.mem_bw_scaling, 0.8);
  EXPECT_EQ(system.mem_constant_latency_s, 3e-6);
  EXPECT_EQ(system.mem_capacity, 198674743296);
  EXPECT_EQ(system.flops(DType::bf16), 2.5e15);
  EXPECT_EQ(system.flops(DType::fp4), 1e16);
  EXPECT_EQ(system.sm_version, 100);
  EXPECT_EQ(system.power_w, 1200);
  EXPECT_EQ(system.p2p_latency_s, 1e-5);
  EXPECT_EQ(system.nccl_mem.at(8), 411041792);
  EXPECT_EQ(system.other_mem, 3758096384);
  EXPECT_EQ(system.nccl_version, "2.23");
  EXPECT_EQ(system.oneccl_version, std::nullopt);
}

TEST(AicSystem, BandwidthFallsFromNodeToRackToBeyond) {
  AicSystem system = parse_aic_system(kRack, "rack", "rack.yaml");
  EXPECT_EQ(system.bandwidth(4), 9e11);
  EXPECT_EQ(system.bandwidth(5), 8e11);
  EXPECT_EQ(system.bandwidth(72), 8e11);
  EXPECT_EQ(system.bandwidth(73), 1e11);
  system.inter_rack_bw.reset();
  EXPECT_EQ(system.bandwidth(73), 8e11) << "without a rate beyond the rack that within it";
  system.gpus_per_rack.reset();
  EXPECT_EQ(system.bandwidth(1000), 8e11) << "without a rack everything is one";
}

TEST(AicSystem, AMissingPeakIsNamedWhenItIsAskedFor) {
  const AicSystem system = parse_aic_system(kRack, "rack", "rack.yaml");
  EXPECT_FALSE(system.has_flops(DType::fp8_e4m3));
  EXPECT_THAT(refusal([&] { (void)system.flops(DType::fp8_e4m3); }),
              HasSubstr("rack.yaml: gpu.fp8_tc_flops is missing"));
}

TEST(AicSystem, WhatIsWrongIsNamedWithFileAndKey) {
  const auto refused = [](const std::string& text) {
    return refusal([&] { (void)parse_aic_system(text, "s", "s.yaml"); });
  };
  std::string text = kRack;
  EXPECT_THAT(refused(text.replace(text.find("mem_bw:"), 7, "xem_bw:")),
              HasSubstr("s.yaml: gpu: the key mem_bw is missing"));
  text = kRack;
  EXPECT_THAT(refused(text.replace(text.find("8000000000000"), 13, "fast")),
              HasSubstr("s.yaml: gpu.mem_bw: a finite number"));
  EXPECT_THAT(refused("gpu: [1, 2"), HasSubstr("s.yaml:1: not readable as YAML"));
  EXPECT_THAT(refused("just text"), HasSubstr("s.yaml: a map of keys is expected here"));
  text = kRack;
  EXPECT_THAT(refused(text.replace(text.find("data/rack"), 9, "../../etc")), HasSubstr("data_dir"));
}

}  // namespace
}  // namespace perfatlas
