// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/compatible_database.h"

#include <gtest/gtest.h>

#include "perfatlas/db/published_database.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/quantize/quantize.h"
#include "perfatlas/ops/rope/rope.h"
#include "perfatlas/tables/published_tree_test.h"
#include "perfatlas/tables/published_wheel_test.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

/// A system with rows of two versions of one back end.
class CompatibleDatabaseTest : public testing::Test {
 protected:
  CompatibleDatabaseTest() {
    tree_.put_system("box");
    tree_.put_gemm("box/gemm/vllm/0.24.0", {"new,bfloat16,4,64,32,0.5", "new,bfloat16,12,64,32,1.5"});
    tree_.put_gemm("box/gemm/vllm/0.22.0", {"old,bfloat16,4,64,32,9", "old,bfloat16,20,64,32,2.5"});
    root_ = std::make_shared<const SystemsRoot>(tree_.path(), ops_, plain_options());
  }
  Answer ask(int64_t m, const aic::ViewOptions& view = {}) {
    return CompatibleDatabase(root_).query(make_case(ops_.get("gemm"), Gemm{.m = m, .n = 64, .k = 32}),
                                           options_, view);
  }

  OpRegistry ops_ = all_ops();
  PublishedTree tree_;
  std::shared_ptr<const SystemsRoot> root_;
  QueryOptions options_{.system = "box", .backend = "vllm", .version = "0.24.0", .engine = Engine::aic};
};

TEST_F(CompatibleDatabaseTest, AMeasuredCaseIsItsRow) {
  const Answer answer = ask(4);
  EXPECT_EQ(answer.source, AnswerSource::measured);
  EXPECT_EQ(answer.latency_ms, 0.5);
  ASSERT_EQ(answer.derived_from.size(), 1u);
  EXPECT_EQ(answer.derived_from[0], (SupportingRow{"m=4 n=64 k=32", 0.5, std::nullopt, "new", 1.0, ""}));
}

TEST_F(CompatibleDatabaseTest, ARowThatAnotherContradictsIsToldByBothEnginesAndCountsAsBefore) {
  tree_.put_gemm("box/gemm/vllm/0.24.0",
                 {"new,bfloat16,4,64,32,0.5", "new,bfloat16,12,64,32,1.5", "new,bfloat16,4,64,32,0.75"});
  const std::string said =
      "data/box/gemm/vllm/0.24.0/gemm_perf.txt: gemm gemm_dtype=bfloat16 m=4 n=64 k=32 is there more than "
      "once: "
      "0.5 ms counts, 0.75 ms does not";
  for (const Engine engine : {Engine::aic, Engine::atlas}) {
    options_.engine = engine;
    const auto asked = [&](int64_t m) {
      const Case of = make_case(ops_.get("gemm"), Gemm{.m = m, .n = 64, .k = 32});
      return engine == Engine::aic ? CompatibleDatabase(root_).query(of, options_, {})
                                   : PublishedDatabase(root_).query(of, options_);
    };
    EXPECT_EQ(asked(4).latency_ms, 0.5);
    EXPECT_THAT(asked(4).notes, testing::ElementsAre(said));
    EXPECT_THAT(asked(12).notes, testing::IsEmpty()) << "not a row that is behind the answer";
  }
}

TEST_F(CompatibleDatabaseTest, RowsThatFillHolesNameTheirVersion) {
  const Answer answer = ask(16);
  EXPECT_EQ(answer.source, AnswerSource::interpolated);
  EXPECT_DOUBLE_EQ(answer.latency_ms, 2.0);
  ASSERT_EQ(answer.derived_from.size(), 2u);
  EXPECT_EQ(answer.derived_from[0].origin, "");
  EXPECT_EQ(answer.derived_from[1].origin, "vllm 0.22.0");
  EXPECT_DOUBLE_EQ(answer.derived_from[0].weight, 0.5);
  EXPECT_EQ(answer.kernel_source, "new+old");
  EXPECT_EQ(ask(40).source, AnswerSource::extrapolated);
}

TEST_F(CompatibleDatabaseTest, ModesSayWhatTheyRestOn) {
  const Answer bound = ask(4, {.mode = aic::Mode::sol});
  EXPECT_EQ(bound.source, AnswerSource::speed_of_light);
  EXPECT_EQ(bound.latency_ms, *ask(4).sol_ms);
  EXPECT_TRUE(bound.derived_from.empty());
  const Answer estimate = ask(4, {.mode = aic::Mode::empirical});
  EXPECT_EQ(estimate.source, AnswerSource::extrapolated);
  EXPECT_THAT(estimate.notes.at(0), HasSubstr("EMPIRICAL"));
  const Answer message = CompatibleDatabase(root_).query(make_case(ops_.get("p2p"), P2p{}), options_, {});
  EXPECT_EQ(message.source, AnswerSource::formula);
}

TEST_F(CompatibleDatabaseTest, MissesAndBadQuestionsSayWhatIsKnown) {
  const auto ask_op = [&](const Case& asked) { return CompatibleDatabase(root_).query(asked, options_, {}); };
  const Answer miss =
      ask_op(make_case(ops_.get("gemm"), Gemm{.dtype = Quant::fp8, .m = 4, .n = 64, .k = 32}));
  EXPECT_FALSE(miss);
  EXPECT_THAT(miss.miss_reason, HasSubstr("bfloat16"));
  EXPECT_THAT(refusal([&] { ask_op(make_case(ops_.get("rope"), Rope{})); }), HasSubstr("--jsonl"));
  options_.backend = "";
  EXPECT_THAT(refusal([&] { ask(4); }), HasSubstr("vllm"));
  options_.system = "bix";
  EXPECT_THAT(refusal([&] { ask(4); }), HasSubstr("box"));
}

TEST(CompatibleDatabase, DecodeAttentionRestsOnTheRowsOfFiveLengths) {
  PERFATLAS_NEED_WHEEL();
  const OpRegistry ops = all_ops();
  CompatibleDatabase database(std::make_shared<const SystemsRoot>(published_wheel(), ops));
  const Answer answer =
      database.query(make_case(ops.get("attention_generation"),
                               AttentionGeneration{.batch = 8, .heads = 32, .kv_heads = 8, .step = 5000}),
                     {.system = "h200_sxm", .backend = "trtllm", .engine = Engine::aic}, {});
  ASSERT_EQ(answer.source, AnswerSource::interpolated);
  double weights = 0, mean = 0;
  for (const SupportingRow& row : answer.derived_from) {
    weights += row.weight;
    mean += row.weight * row.latency_ms;
  }
  EXPECT_NEAR(weights, 1, 1e-12);
  EXPECT_NEAR(mean / answer.latency_ms, 1, 1e-9);
}

TEST(CompatibleDatabase, FindingAScaleIsWhatAStaticProductSaves) {
  PERFATLAS_NEED_WHEEL();
  const OpRegistry ops = all_ops();
  CompatibleDatabase database(std::make_shared<const SystemsRoot>(published_wheel(), ops));
  const QueryOptions at{.system = "h200_sxm", .backend = "trtllm", .engine = Engine::aic};
  const auto gemm_ms = [&](Quant dtype) {
    return database
        .query(make_case(ops.get("gemm"), Gemm{.dtype = dtype, .m = 5000, .n = 7168, .k = 4096}), at, {})
        .latency_ms;
  };
  const Answer scale =
      database.query(make_case(ops.get("compute_scale"), ComputeScale{.m = 5000, .k = 4096}), at, {});
  EXPECT_GT(scale.latency_ms, 0);
  EXPECT_NEAR(gemm_ms(Quant::fp8) - gemm_ms(Quant::fp8_static), scale.latency_ms, 1e-12);
  double weights = 0;
  for (const SupportingRow& row : scale.derived_from) weights += row.weight;
  EXPECT_NEAR(weights, 1, 1e-12);
}

}  // namespace
}  // namespace perfatlas
