// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/prior_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

/// An old machine and a new one that is 1.7 times as fast, both with a bump that no speed of light knows.
struct Machines {
  OpRegistry ops = all_ops();
  const OpType& op = ops.get("gemm");

  FieldValues at(int64_t m, int64_t n) const {
    FieldValues values = op.defaults();
    values[*op.find_field("m")] = m;
    values[*op.find_field("n")] = n;
    values[*op.find_field("k")] = 1024;
    return values;
  }
  static double old_ms(int64_t m, int64_t n) {
    const double bump = m % 48 == 0 ? 1.6 : 1;
    return (.01 + double(m) * double(n) * 1e-7) * bump;
  }
  std::vector<SlicePoint> old_table() const {
    std::vector<SlicePoint> points;
    for (int64_t n = 256; n <= 8192; n *= 2)
      for (const int64_t m : {1, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512})
        points.push_back({at(m, n), old_ms(m, n), {}});
    return points;
  }
  std::vector<SlicePoint> few_new() const {
    std::vector<SlicePoint> points;
    for (const auto& [m, n] : {std::pair{1, 256},
                               {512, 8192},
                               {64, 1024},
                               {1, 8192},
                               {512, 256},
                               {128, 4096},
                               {16, 2048},
                               {256, 512},
                               {32, 4096}})
      points.push_back({at(m, n), old_ms(m, n) / 1.7, {}});
    return points;
  }
};

TEST(PriorTable, AnswersWithOldRowsAndKrigesBetweenThem) {
  const Machines m;
  const PriorTable prior(m.op, m.old_table(), {});
  EXPECT_DOUBLE_EQ(*prior.old_ms(m.at(64, 1024)), Machines::old_ms(64, 1024));
  // Between rows of 64 and 96 tokens, and of no more than both.
  EXPECT_GT(*prior.old_ms(m.at(80, 1024)), Machines::old_ms(64, 1024) / 2);
  EXPECT_LT(*prior.old_ms(m.at(80, 1024)), 2 * Machines::old_ms(96, 1024));
  FieldValues other = m.at(64, 1024);
  other[0] = int64_t(Quant::fp8);
  EXPECT_FALSE(prior.old_ms(other).has_value());
}

TEST(PriorTable, KnowsStepsThatFewNewPointsCannotShow) {
  const Machines m;
  const auto prior = std::make_shared<const PriorTable>(m.op, m.old_table(), SolContext{});
  const auto few = m.few_new();
  const auto with = make_prior_predictor_maker({{"gemm", prior}})(m.op, few, {});
  const auto without = make_kriged_predictor(m.op, few, {});
  const double truth = Machines::old_ms(48, 2048) / 1.7;
  EXPECT_NEAR(*with->latency_ms(m.at(48, 2048)) / truth, 1, .05);
  EXPECT_GT(std::abs(*without->latency_ms(m.at(48, 2048)) / truth - 1), .1);
}

TEST(PriorTable, TellsWhatChangedAsAFactorAndARest) {
  const Machines m;
  const PriorTable prior(m.op, m.old_table(), {});
  const auto changes = changes_since(m.op, prior, m.few_new());
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].family, "gemm bfloat16");
  EXPECT_EQ(changes[0].points, 9u);
  EXPECT_NEAR(changes[0].median_ratio, 1 / 1.7, 1e-9);
  EXPECT_LT(changes[0].rest_p90, .1);  // old rows that their neighbours contradict are repaired first
  EXPECT_EQ(changes[0].unchanged_share, 0);
}

}  // namespace
}  // namespace perfatlas
