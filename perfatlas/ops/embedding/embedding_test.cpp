// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/embedding/embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(Embedding, IdsCoverTheVocabularyAndNothingElse) {
  const Operand ids = Embedding{.tokens = 2000, .vocab = 5}.operands()[0];
  HostOperand content{ids, {}, std::vector<int32_t>(2000)};
  ids.content(1, content);
  for (int32_t id = 0; id < 5; ++id) EXPECT_THAT(content.indices, testing::Contains(id));
  EXPECT_THAT(content.indices, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(5))));
}

TEST(Embedding, WorkIsTokenEquivalentAndIndependentOfTheVocabulary) {
  const Work work = Embedding{.tokens = 10, .hidden = 100, .vocab = 1000}.work();
  EXPECT_EQ(work.weight_bytes_read, 10 * 100 * 2);
  EXPECT_EQ(work.bytes(), 10 * (100 * 2 * 2 + 4));
  EXPECT_EQ((Embedding{.tokens = 10, .hidden = 100, .vocab = 2000}.work().bytes()), work.bytes());
  EXPECT_EQ((Embedding{.tokens = 100, .hidden = 100, .vocab = 1000}.work().bytes()), 10 * work.bytes());
}

TEST(Embedding, ModelGridSweepsTheTokenLadder) {
  const OpType type = make_op_type<Embedding>();
  ModelShapes shapes;
  shapes.add(make_case<Embedding>(type, {.hidden = 1024, .vocab = 32000}));
  std::vector<int64_t> tokens;
  Embedding::model_cases(shapes, [&](const Embedding& op) {
    EXPECT_EQ(op.vocab, 32000);
    tokens.push_back(op.tokens);
  });
  EXPECT_THAT(tokens, testing::ElementsAreArray(kTokenLadder));
}

TEST(Embedding, SenselessCasesSayWhy) {
  EXPECT_NE(Embedding{.tokens = 0}.why_invalid(), "");
  EXPECT_EQ(Embedding{.vocab = int64_t(1) << 31}.why_invalid(), "vocab must fit a 32-bit token id");
  EXPECT_NE(Embedding{.dtype = DType::int8}.why_invalid(), "");
  EXPECT_EQ(Embedding{}.why_invalid(), "");
}

}  // namespace
}  // namespace perfatlas
