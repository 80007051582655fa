// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/silicon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"

namespace perfatlas::estimate {
namespace {

const std::string kHeader =
    "id,silicon_data_source,backend,backend_version,model_path,system,precision,mode,isl,osl,gemm_quant_mode,"
    "moe_quant_mode,batch_size,tp_size,pp_size,attention_dp_size,moe_tp_size,moe_ep_size,prefill_batch_size,"
    "prefill_num_workers,prefill_tp_size,prefill_pp_size,prefill_attention_dp_size,prefill_moe_tp_size,"
    "prefill_moe_ep_size,decode_batch_size,decode_num_workers,decode_tp_size,decode_pp_size,"
    "decode_attention_dp_size,decode_moe_tp_size,decode_moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n";

std::string aggregated(const std::string& id, const std::string& system, const std::string& batch) {
  return id + ",s,vllm,0.19.0,m," + system + ",fp8,agg,1024,128,fp8,," + batch +
         ",4,1,1,4.0,1,,,,,,,,,,,,,,,100,10\n";
}

TEST(SiliconRuns, AreReadWithTheirConfiguration) {
  const auto runs = parse_silicon_runs(kHeader + aggregated("a", "h200_sxm", "32"), "f.csv");
  ASSERT_EQ(runs.size(), 1u);
  const EstimateRequest& r = runs[0].request;
  EXPECT_EQ(r.framework, Framework::vllm);
  EXPECT_EQ(r.mode, ServingMode::aggregated);
  EXPECT_EQ(r.worker.parallel.tp, 4);
  EXPECT_EQ(r.worker.parallel.moe_tp, 4);
  EXPECT_EQ(r.worker.batch, 32);
  EXPECT_EQ(r.quant.gemm, aic::QuantMode::fp8);
  EXPECT_FALSE(r.quant.moe.has_value());
  EXPECT_DOUBLE_EQ(runs[0].ttft_ms, 100);
}

TEST(SiliconRuns, WithoutABatchAreKeptAndSaySo) {
  const auto runs = parse_silicon_runs(kHeader + aggregated("a", "h200_sxm", ""), "f.csv");
  EXPECT_EQ(runs.at(0).incomplete, "the row does not say batch and workers");
}

TEST(SiliconRuns, NameLineAndColumnOfWhatDoesNotParse) {
  try {
    parse_silicon_runs(kHeader + aggregated("a", "h200_sxm", "many"), "f.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "f.csv: line 2, column 'batch_size' is 'many', no number");
  }
}

TEST(Predictions, OfAnotherEstimatorMayLeaveRunsOut) {
  const auto found = parse_predictions("id,pred_ttft_ms,tpot\na,1.5,2\nb,,\n", "p.csv");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_DOUBLE_EQ(found.at("a").ttft_ms, 1.5);
  EXPECT_THROW(parse_predictions("id,ttft\na,1\n", "p.csv"), Error);
}

TEST(Accuracy, IsTheMeanAndMedianRelativeErrorOfTheAnsweredRuns) {
  const auto runs =
      parse_silicon_runs(kHeader + aggregated("a", "h200_sxm", "1") + aggregated("b", "h200_sxm", "1") +
                             aggregated("c", "b200_sxm", "1") + aggregated("d", "b200_sxm", "1"),
                         "f.csv");
  std::vector<Answer> answers(4);
  answers[0].prediction = Prediction{110, 10};  // 10 %, 0 %
  answers[1].prediction = Prediction{70, 12};   // 30 %, 20 %
  answers[2].prediction = Prediction{180, 9};   // 80 %, 10 %
  answers[3].failure = "no data";
  const auto groups = accuracy_by_group(runs, answers, {{"a", {90, 10}}});
  const AccuracyGroup& all = groups.at(0);
  EXPECT_EQ(all.kind, "all");
  EXPECT_EQ(all.own.runs, 4u);
  EXPECT_EQ(all.own.answered, 3u);
  EXPECT_NEAR(all.own.ttft_mape, 40, 1e-9);
  EXPECT_NEAR(all.own.ttft_median, 30, 1e-9);
  EXPECT_NEAR(all.own.tpot_mape, 10, 1e-9);
  ASSERT_TRUE(all.peer && all.own_where_peer);
  EXPECT_EQ(all.peer->answered, 1u);
  EXPECT_NEAR(all.own_where_peer->ttft_mape, 10, 1e-9);
  EXPECT_EQ(groups.at(1).name, "b200_sxm");
  EXPECT_EQ(groups.at(1).own.answered, 1u);
}

EstimateRequest sensible() {
  EstimateRequest r;
  r.model = "m";
  r.worker.batch = 1;
  return r;
}

std::string refusal(const EstimateRequest& r) {
  try {
    check_request(r, {.max_context = 4096});
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(CheckRequest, LetsSensibleOnesThrough) { EXPECT_EQ(refusal(sensible()), ""); }

TEST(ContextWarning, IsOfOutputsThatTheModelCannotEnd) {
  EstimateRequest r = sensible();
  r.workload = {.isl = 4000, .osl = 96};
  EXPECT_EQ(context_warning(r, {.max_context = 4096}), "");
  r.workload.osl = 97;
  EXPECT_THAT(context_warning(r, {.max_context = 4096}), testing::HasSubstr("need 4097 tokens"));
  r.mode = ServingMode::static_context;  // generates nothing
  EXPECT_EQ(context_warning(r, {.max_context = 4096}), "");
}

TEST(CheckRequest, SaysWhatToChange) {
  EstimateRequest r = sensible();
  r.workload.isl = 0;
  EXPECT_EQ(refusal(r), "--isl is 0, it must be at least 1");
  r = sensible();
  r.workload.isl = 5000;
  EXPECT_THAT(refusal(r), testing::HasSubstr("beyond the model's context of 4096 tokens"));
  r.worker.limits.max_seq_len = 8192;
  EXPECT_EQ(refusal(r), "");  // the engine was told to take more
  r = sensible();
  r.workload.osl = 2'000'000'000;
  EXPECT_EQ(refusal(r), "--osl is 2000000000, it must be at most 1000000000");
  r = sensible();
  r.workload.prefix = 1024;
  EXPECT_THAT(refusal(r), testing::HasSubstr("choose a smaller prefix"));
  r = sensible();
  r.worker.batch = -2;
  EXPECT_EQ(refusal(r), "--bs is -2, it must be at least 1");
  r = sensible();
  r.drafted_tokens = 1;
  r.workload.accepted = 2;
  EXPECT_THAT(refusal(r), testing::HasSubstr("between 0 and --nextn 1"));
  r = sensible();
  r.worker.limits.fraction = 1.5;
  EXPECT_THAT(refusal(r), testing::HasSubstr("above 0 and at most 1"));
  r = sensible();
  r.mode = ServingMode::disaggregated;
  EXPECT_THAT(refusal(r), testing::HasSubstr("--p-bs is missing"));
}

}  // namespace
}  // namespace perfatlas::estimate
