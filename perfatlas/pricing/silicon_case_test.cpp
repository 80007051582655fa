// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/silicon_case.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/serving/launch.h"

namespace perfatlas {
namespace {

/// A row of silicon_sample.csv, by the columns that differ between the tests.
struct Row {
  std::string id = "x", source, backend = "sglang", model = "deepseek-ai/DeepSeek-R1", system = "b200_sxm",
              mode = "agg";
  std::string quant = "nvfp4", batch = "8", tp = "8", dp = "1", moe_tp = "1", moe_ep = "8", workers;
};

SiliconCase case_of(const Row& r) {
  const std::string header =
      "id,silicon_data_source,backend,backend_version,model_path,system,precision,mode,isl,osl,gemm_quant_"
      "mode,"
      "moe_quant_mode,batch_size,tp_size,pp_size,attention_dp_size,moe_tp_size,moe_ep_size,prefill_batch_"
      "size,"
      "prefill_num_workers,prefill_tp_size,prefill_pp_size,prefill_attention_dp_size,prefill_moe_tp_size,"
      "prefill_moe_ep_size,decode_batch_size,decode_num_workers,decode_tp_size,decode_pp_size,"
      "decode_attention_dp_size,decode_moe_tp_size,decode_moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n";
  const std::string line = fmt::format(
      "{},{},{},1.0,{},{},fp8,{},1024,1024,{},{},{},{},1,{},{},{},1,{},4,1,1,4,1,1,{},4,1,1,4,1,100,10\n",
      r.id, r.source, r.backend, r.model, r.system, r.mode, r.quant, r.quant, r.batch, r.tp, r.dp, r.moe_tp,
      r.moe_ep, r.workers, r.workers);
  return silicon_case(estimate::parse_silicon_runs(header + line, "test").at(0));
}

int64_t users(const SiliconCase& c) { return std::get<ClosedLoop>(c.question.workload.arrivals).users; }

TEST(SiliconCase, ReadsTheScriptsOfPublicRuns) {
  const SiliconCase c = case_of({.source = "source_file=a.csv; silicon_concurrency=8"});
  EXPECT_EQ(c.refusal, "");
  EXPECT_FALSE(c.repaired);
  EXPECT_EQ(users(c), 8);
  EXPECT_EQ(c.question.workload.input.ratio, 0.8);
  const Launch launch = make_launch(c.question.engine, c.question.launch);
  EXPECT_TRUE(launch.known());
  EXPECT_EQ(launch.token_budget, 16384);
  EXPECT_EQ(launch.recv_interval, 10);
  EXPECT_EQ(launch.stream_interval, 10);
}

TEST(SiliconCase, PutsRightWhereTheColumnsHoldTheProduct) {
  const SiliconCase c = case_of({.id = "r1_b200_trtllm_fp8_agg_c4_tp8_ep8_920",
                                 .source = "source_file=a.csv; silicon_concurrency=4",
                                 .backend = "trtllm",
                                 .quant = "fp8",
                                 .batch = "4",
                                 .tp = "64",
                                 .moe_tp = "8"});
  EXPECT_EQ(c.refusal, "");
  EXPECT_TRUE(c.repaired);
  EXPECT_EQ(c.request.worker.parallel.tp, 8);
  EXPECT_EQ(c.request.worker.parallel.moe_tp, 1);
  EXPECT_EQ(c.request.worker.parallel.moe_ep, 8);
  EXPECT_EQ(users(c), 4);
}

TEST(SiliconCase, KeepsTheOtherToolsRowsAsTheyAre) {
  const SiliconCase c = case_of({.source = "source_file=aic-auto-gap-analysis.csv; silicon_concurrency=16",
                                 .model = "Qwen/Qwen3-32B",
                                 .system = "h100_sxm",
                                 .quant = "",
                                 .batch = "16",
                                 .tp = "2",
                                 .dp = "",
                                 .moe_ep = "1"});
  EXPECT_EQ(c.refusal, "");
  EXPECT_EQ(c.question.workload.input.ratio, 1.0);
  EXPECT_EQ(c.question.launch.token_budget, 8192);
  EXPECT_EQ(users(c), 16);
}

TEST(SiliconCase, RefusesWhatTheColumnsDoNotSay) {
  EXPECT_THAT(case_of({.mode = "disagg"}).refusal, testing::HasSubstr("number of workers"));
  EXPECT_THAT(case_of({.tp = "32", .moe_ep = "1"}).refusal, testing::HasSubstr("more than 8 ranks"));
  const SiliconCase pools =
      case_of({.source = "a; silicon_concurrency=32", .mode = "disagg", .workers = "2"});
  EXPECT_EQ(pools.refusal, "");
  EXPECT_EQ(pools.question.disaggregated->decode, 2);
  EXPECT_EQ(users(pools), 32);
}

TEST(SiliconCase, PricesTheCheckpointsOwnTypesOnHopperOnly) {
  EXPECT_FALSE(case_of({.system = "h200_sxm"}).request.quant.moe.has_value());
  EXPECT_TRUE(case_of({.system = "b200_sxm"}).request.quant.moe.has_value());
}

}  // namespace
}  // namespace perfatlas
