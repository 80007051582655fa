// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/candidates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perfatlas {
namespace {

using estimate::Framework;
using testing::ElementsAre;

std::vector<std::string> labels(const CandidateRequest& request, int64_t budget) {
  std::vector<std::string> names;
  for (const auto& ranks : splits_within(default_candidates(request), request, budget))
    names.push_back(ranks.label());
  return names;
}

TEST(Candidates, DenseModelsAreSplitByTensorAlone) {
  EXPECT_THAT(labels({}, 4), ElementsAre("tp1pp1dp1etp1ep1", "tp2pp1dp1etp1ep1", "tp4pp1dp1etp1ep1"));
  EXPECT_EQ(labels({.rack_scale = true}, 32).back(), "tp16pp1dp1etp1ep1");
}

TEST(Candidates, ExpertsCoverTheRanksOfAttention) {
  for (const Framework framework : {Framework::trtllm, Framework::sglang, Framework::vllm}) {
    const CandidateRequest request{.framework = framework, .has_experts = true};
    const auto splits = splits_within(default_candidates(request), request, 32);
    EXPECT_FALSE(splits.empty());
    for (const auto& ranks : splits) {
      EXPECT_EQ(ranks.attention_width(), ranks.expert_tp() * ranks.expert_ep());
      EXPECT_LE(ranks.gpus(), 16);
      if (framework == Framework::trtllm) {
        EXPECT_TRUE(ranks.dp == 1 || ranks.tp == 1);
      }
      if (framework == Framework::vllm) {
        EXPECT_TRUE(ranks.expert_tp() == 1 || ranks.expert_ep() == 1);
      }
    }
  }
}

TEST(Candidates, OnlySomeFrameworksMixAttentionReplicasAndTensorParallelism) {
  const CandidateRequest sglang{.framework = Framework::sglang, .has_experts = true};
  EXPECT_THAT(labels(sglang, 8), testing::Contains("tp2pp1dp4etp8ep1"));
  EXPECT_THAT(labels({.framework = Framework::trtllm, .has_experts = true}, 8),
              testing::Not(testing::Contains("tp2pp1dp4etp8ep1")));
}

TEST(Candidates, MeasuredCommunicationBeyondANodeOpensWiderSplits) {
  CandidateRequest request{.framework = Framework::vllm, .has_experts = true};
  EXPECT_THAT(labels(request, 64), testing::Not(testing::Contains("tp1pp1dp64etp1ep64")));
  request.wide_experts = {32, 64};
  EXPECT_THAT(labels(request, 64), testing::Contains("tp1pp1dp64etp1ep64"));
  EXPECT_THAT(labels(request, 32), testing::Not(testing::Contains("tp1pp1dp64etp1ep64")));
}

TEST(Candidates, PromptsAreSharedByRanksOfPrefillOnly) {
  CandidateRequest request{.framework = Framework::sglang, .splits_prompts = true};
  EXPECT_THAT(default_candidates(request).cp, ElementsAre(1, 2, 4, 8));
  request.role = WorkerRole::decode;
  EXPECT_THAT(default_candidates(request).cp, ElementsAre(1));
}

TEST(Candidates, SparseAttentionOnBlackwellIsAlsoTriedInTwoStages) {
  EXPECT_TRUE(wants_deep_pipelines("DEEPSEEKV32", 100, 16, ""));
  EXPECT_FALSE(wants_deep_pipelines("DEEPSEEKV32", 90, 16, ""));
  EXPECT_FALSE(wants_deep_pipelines("DEEPSEEKV32", 100, 8, ""));
  EXPECT_FALSE(wants_deep_pipelines("DEEPSEEK", 100, 16, ""));
  const CandidateRequest request{.has_experts = true, .deep_pipelines = true};
  EXPECT_THAT(labels(request, 16), testing::Contains("tp8pp2dp1etp1ep8"));
}

}  // namespace
}  // namespace perfatlas
