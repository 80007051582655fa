// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/published_database.h"

#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/moe/moe.h"
#include "perfatlas/tables/published_wheel_test.h"

namespace perfatlas {
namespace {

class PublishedDatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    PERFATLAS_NEED_WHEEL();
    database_ =
        std::make_unique<PublishedDatabase>(std::make_shared<const SystemsRoot>(published_wheel(), ops_));
  }
  template <class Op>
  Answer ask(const Op& op, const std::string& backend) {
    return database_->query(make_case(ops_.get(Op::info.id), op), {.system = "h200_sxm", .backend = backend});
  }

  OpRegistry ops_ = all_ops();
  std::unique_ptr<PublishedDatabase> database_;
};

TEST_F(PublishedDatabaseTest, MeasuredBetweenAndBeyond) {
  const Answer exact = ask(Gemm{.m = 512, .n = 4096, .k = 4096}, "trtllm");
  EXPECT_EQ(exact.source, AnswerSource::measured);
  ASSERT_EQ(exact.derived_from.size(), 1u);
  EXPECT_EQ(exact.derived_from[0].latency_ms, exact.latency_ms);
  const Answer inside = ask(Gemm{.m = 500, .n = 4500, .k = 4096}, "trtllm");
  EXPECT_EQ(inside.source, AnswerSource::interpolated);
  EXPECT_EQ(inside.derived_from.size(), 4u);
  EXPECT_NEAR(inside.latency_ms / exact.latency_ms, 1.1, 0.15);
  const Answer beyond = ask(Gemm{.m = 500, .n = 100000, .k = 4096}, "trtllm");
  EXPECT_EQ(beyond.source, AnswerSource::extrapolated);
  EXPECT_GE(beyond.latency_ms, *beyond.sol_ms);
  ASSERT_TRUE(beyond.intervals);
  EXPECT_LT((*beyond.intervals)[0], (*beyond.intervals)[1]);
  EXPECT_LT((*beyond.intervals)[1], (*beyond.intervals)[2]);
}

TEST_F(PublishedDatabaseTest, AnUnseenExpertShapeIsTransferred) {
  const Moe unseen{.tokens = 512, .hidden = 5120, .inter = 1408, .topk = 8, .experts = 192, .ep = 8};
  const Answer answer = ask(unseen, "trtllm");
  EXPECT_EQ(answer.source, AnswerSource::transferred) << answer.miss_reason;
  EXPECT_GE(answer.latency_ms, *answer.sol_ms);
  EXPECT_LT(answer.latency_ms, 20 * *answer.sol_ms);
  EXPECT_TRUE(answer.derived_from.empty());
}

TEST_F(PublishedDatabaseTest, ACachedPrefixTakesItsShareOfTheWork) {
  const AttentionContext whole{.batch = 1, .isl = 8192, .heads = 32, .kv_heads = 8};
  AttentionContext part = whole;
  part.isl = 4096;
  part.step = 4096;
  const double share = 1 - 0.25;  // the first half of the tokens has a quarter of the pairs
  EXPECT_NEAR(ask(part, "trtllm").latency_ms / ask(whole, "trtllm").latency_ms, share, 1e-9);
}

TEST_F(PublishedDatabaseTest, MissesNameWhatIsMeasured) {
  const Answer answer = ask(Gemm{.dtype = Quant::nvfp4, .m = 8, .n = 4096, .k = 4096}, "trtllm");
  EXPECT_EQ(answer.source, AnswerSource::none);
  EXPECT_NE(answer.miss_reason.find("gemm_dtype=nvfp4"), std::string::npos) << answer.miss_reason;
  EXPECT_NE(answer.miss_reason.find("bfloat16"), std::string::npos) << answer.miss_reason;
  EXPECT_THROW(ask(Gemm{.m = 8, .n = 8, .k = 8}, "tensorrt"), UsageError);
}

}  // namespace
}  // namespace perfatlas
