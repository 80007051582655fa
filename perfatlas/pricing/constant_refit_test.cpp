// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/constant_refit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/pricing/silicon_simulation.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/tables/published_wheel_test.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

/// A few published measurements of two models on vLLM.
class ConstantRefit : public testing::Test {
 protected:
  void SetUp() override {
    PERFATLAS_NEED_WHEEL();
    root_ = std::make_unique<SystemsRoot>(published_wheel(), ops_);
    session_ =
        std::make_unique<estimate::Session>(*root_, std::vector<std::string>{PERFATLAS_TEST_DATA "/models"});
    const auto all = estimate::parse_silicon_runs(*root_->silicon_sample(), "silicon_sample.csv");
    for (const std::string model : {"Qwen/Qwen3-32B", "MiniMaxAI/MiniMax-M2.5"}) {
      int64_t taken = 0;
      for (const auto& run : all)
        if (run.request.model == model && run.request.framework == estimate::Framework::vllm && taken < 4)
          runs_.push_back(run), ++taken;
    }
    ASSERT_EQ(runs_.size(), 8u);
  }

  OpRegistry ops_ = all_ops();
  std::unique_ptr<SystemsRoot> root_;
  std::unique_ptr<estimate::Session> session_;
  std::vector<estimate::SiliconRun> runs_;
};

TEST_F(ConstantRefit, AGroupsOwnMeasurementsDoNotChangeItsPredictions) {
  const LeaveOutResult before = leave_groups_out(*session_, runs_, LeaveOutBy::model);
  ASSERT_EQ(before.groups.size(), 2u);
  const std::vector<size_t>& changed = before.groups[0].runs;
  for (const size_t i : changed) runs_[i].ttft_ms *= 2, runs_[i].tpot_ms *= 1.5;
  const LeaveOutResult after = leave_groups_out(*session_, runs_, LeaveOutBy::model);
  for (const size_t i : changed) {
    ASSERT_TRUE(before.answers[i].prediction && after.answers[i].prediction) << before.answers[i].failure;
    EXPECT_EQ(before.answers[i].prediction->ttft_ms, after.answers[i].prediction->ttft_ms);
    EXPECT_EQ(before.answers[i].prediction->tpot_ms, after.answers[i].prediction->tpot_ms);
  }
}

TEST_F(ConstantRefit, FindsTheConstantsThatMadeTheMeasurements) {
  const auto made = simulate_silicon(*session_, runs_, {});
  for (size_t i = 0; i < runs_.size(); ++i) {
    ASSERT_TRUE(made[i].prediction) << made[i].failure;
    runs_[i].ttft_ms = made[i].prediction->ttft_ms;
    runs_[i].tpot_ms = made[i].prediction->tpot_ms;
  }
  for (const LeftOutGroup& group : leave_groups_out(*session_, runs_, LeaveOutBy::model).groups) {
    EXPECT_EQ(group.constants.vllm_ms, kVllmStepOverhead.value) << group.name;
    EXPECT_EQ(group.constants.request_path_ms, kRequestPath.value) << group.name;
    EXPECT_EQ(group.constants.prompt_path_ms, kPromptPath.value) << group.name;
    EXPECT_FALSE(group.constants.sglang_ms) << "no run is SGLang's";
  }
}

TEST_F(ConstantRefit, AnEngineThatNobodyElseHasIsStillPredicted) {
  const LeaveOutResult result = leave_groups_out(*session_, runs_, LeaveOutBy::engine);
  ASSERT_EQ(result.groups.size(), 1u);
  EXPECT_FALSE(result.groups[0].constants.vllm_ms);
  for (const auto& answer : result.answers) EXPECT_TRUE(answer.prediction) << answer.failure;
}

}  // namespace
}  // namespace perfatlas
