// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm.h"

#include <gtest/gtest.h>

#include <map>

namespace perfatlas {
namespace {

/// Published cases per type.
std::map<Quant, int64_t> published(int sm_version, AicFramework framework) {
  std::map<Quant, int64_t> counts;
  Gemm::aic_cases({sm_version, framework}, [&](const Gemm& op) { ++counts[op.dtype]; });
  return counts;
}

int64_t total(const std::map<Quant, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [quant, count] : counts) sum += count;
  return sum;
}

TEST(GemmGrid, HasTheKnownCountsOfEveryFramework) {
  using enum AicFramework;
  for (const AicFramework framework : {trtllm, vllm, sglang})
    EXPECT_EQ(total(published(90, framework)), 101010) << name_of(framework);
  EXPECT_EQ(total(published(100, trtllm)), 130536);
  EXPECT_EQ(total(published(100, sglang)), 130536);
  EXPECT_EQ(total(published(100, vllm)), 114576);
}

TEST(GemmGrid, VllmTakesFp8BlocksOnSm100InFours) {
  const auto counts = published(100, AicFramework::vllm);
  EXPECT_EQ(counts.at(Quant::fp8_block), 34 * (20 * 20 - 1));
  EXPECT_EQ(counts.at(Quant::nvfp4), 74 * (20 * 20 - 1));
  EXPECT_EQ(counts.at(Quant::fp8), 74 * (22 * 22 - 1));
}

TEST(GemmGrid, TypesAppearWithTheirGeneration) {
  using enum AicFramework;
  EXPECT_EQ(published(86, trtllm).size(), 1);
  EXPECT_EQ(published(89, trtllm).count(Quant::fp8_block), 1);
  EXPECT_EQ(published(89, vllm).count(Quant::fp8_block), 0);
  EXPECT_EQ(published(89, sglang).count(Quant::fp8), 1);
  EXPECT_EQ(published(120, sglang).count(Quant::fp8_block), 0);
}

}  // namespace
}  // namespace perfatlas
