// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/logits_sample/logits_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

/// Softmax of these is 0.1, 0.4, 0.2, 0.3.
std::vector<float> logits() { return {std::log(1.0F), std::log(4.0F), std::log(2.0F), std::log(3.0F)}; }

int32_t draw(int64_t topk, float top_p, float u, std::vector<float> row = logits()) {
  const LogitsSample op{.vocab = int64_t(row.size()), .topk = topk};
  std::vector<HostOperand> data;
  for (const Operand& operand : op.operands()) data.push_back({operand, {}, {}});
  data[0].values = row;
  data[1].values = {top_p};
  data[2].values = {u};
  data[3].indices = {-1};
  op.reference(data);
  return data[3].indices[0];
}

TEST(LogitsSample, GreedyTakesTheLargest) {
  for (const float u : {0.0F, 0.5F, 0.999F}) EXPECT_EQ(draw(1, 0.9F, u), 1);
}

TEST(LogitsSample, TheUniformNumberChoosesByMassInDescendingOrder) {
  EXPECT_EQ(draw(4, 0.9999F, 0.0F), 1);
  EXPECT_EQ(draw(4, 0.9999F, 0.39F), 1);
  EXPECT_EQ(draw(4, 0.9999F, 0.41F), 3);
  EXPECT_EQ(draw(4, 0.9999F, 0.71F), 2);
  EXPECT_EQ(draw(4, 0.9999F, 0.91F), 0);
}

TEST(LogitsSample, TopKRenormalises) {
  EXPECT_EQ(draw(2, 0.9999F, 4.0F / 7 - 0.01F), 1);
  EXPECT_EQ(draw(2, 0.9999F, 4.0F / 7 + 0.01F), 3);
  EXPECT_EQ(draw(2, 0.9999F, 0.999F), 3);
}

TEST(LogitsSample, TopPCutsTheTail) {
  EXPECT_EQ(draw(4, 0.69F, 0.999F), 3);
  EXPECT_EQ(draw(4, 0.71F, 0.999F), 2);
}

TEST(LogitsSample, OfEqualLogitsTheSmallerIdComesFirst) {
  EXPECT_EQ(draw(1, 0.9F, 0.5F, {1, 2, 2, 0}), 1);
  EXPECT_EQ(draw(2, 0.9999F, 0.999F, {1, 2, 2, 2}), 2);
}

TEST(LogitsSample, WorkReadsEveryLogitOnce) {
  const Work work = LogitsSample{.dtype = DType::f32, .batch = 3, .vocab = 1000, .topk = 50}.work();
  EXPECT_EQ(work.bytes(), 3 * (1000 * 4 + 12));
  EXPECT_EQ(work.streamed_bytes(), 0);
}

TEST(LogitsSample, DrawsAreWithinTheirRanges) {
  const Operands operands = LogitsSample{.batch = 5000}.operands();
  for (const size_t i : {size_t(1), size_t(2)}) {
    HostOperand content{operands[i], std::vector<float>(5000), {}};
    operands[i].content(7, content);
    const float lowest = i == 1 ? 0.5F : 0.0F;
    EXPECT_THAT(content.values, testing::Each(testing::AllOf(testing::Ge(lowest), testing::Lt(1.0F))));
    EXPECT_THAT(content.values, testing::Contains(testing::Lt(lowest + 0.01F)));
    EXPECT_THAT(content.values, testing::Contains(testing::Gt(0.99F)));
  }
}

TEST(LogitsSample, ModelGridSweepsTheBatchLadder) {
  const OpType type = make_op_type<LogitsSample>();
  ModelShapes shapes;
  shapes.add(make_case<LogitsSample>(type, {.vocab = 32000, .topk = 50}));
  std::vector<int64_t> batches;
  LogitsSample::model_cases(shapes, [&](const LogitsSample& op) { batches.push_back(op.batch); });
  EXPECT_THAT(batches, testing::ElementsAreArray(kBatchLadder));
}

TEST(LogitsSample, SenselessCasesSayWhy) {
  EXPECT_NE(LogitsSample{.batch = 0}.why_invalid(), "");
  EXPECT_EQ((LogitsSample{.vocab = 10, .topk = 11}.why_invalid()),
            "topk must be at least 1 and at most vocab");
  EXPECT_EQ((LogitsSample{.vocab = 10, .topk = 0}.why_invalid()),
            "topk must be at least 1 and at most vocab");
  EXPECT_NE(LogitsSample{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(LogitsSample{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
