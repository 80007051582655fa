// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/family_audit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

/// Predicts 1 ms for everything.
class OneMillisecond final : public Predictor {
 public:
  std::optional<double> latency_ms(const FieldValues&) const override { return 1.0; }
};

std::unique_ptr<const Predictor> one_millisecond(const OpType&, std::span<const SlicePoint>, SolContext) {
  return std::make_unique<OneMillisecond>();
}

struct Fixture {
  OpRegistry ops = all_ops();
  const OpType& op = ops.get("gemm");
  FieldValues at(uint64_t place) const {
    FieldValues values = op.defaults();
    values[*op.find_field("m")] = int64_t(place) + 1;
    return values;
  }
  MeasuredPlace point(uint64_t place, double latency_ms) const {
    return {at(place), place % 10 == 9, latency_ms, .01};
  }
};

TEST(FamilyAudit, AuditsOfTheFirstBatchArePredictedFromNothingAndSayNothing) {
  const Fixture f;
  FamilyAudit audit(f.op, one_millisecond, {});
  for (uint64_t place = 0; place < 24; ++place) audit.measured(place, f.point(place, 1.1));
  EXPECT_TRUE(audit.advance());
  EXPECT_TRUE(audit.audits().empty());
  EXPECT_TRUE(audit.predicted_ms(f.at(3)).has_value());
}

TEST(FamilyAudit, TheOrderOfArrivalDoesNotMatter) {
  const Fixture f;
  std::vector<uint64_t> places(2000);
  for (uint64_t i = 0; i < places.size(); ++i) places[i] = i;
  const auto figure = [&] {
    FamilyAudit audit(f.op, one_millisecond, {});
    for (const uint64_t place : places) audit.measured(place, f.point(place, 1 + double(place % 97) / 100));
    audit.advance();
    return audit.figure();
  };
  const auto in_order = figure();
  std::shuffle(places.begin(), places.end(), std::mt19937_64(7));
  const auto shuffled = figure();
  ASSERT_TRUE(in_order && shuffled);
  EXPECT_EQ(in_order->p90, shuffled->p90);
  EXPECT_EQ(in_order->audits, shuffled->audits);
}

TEST(FamilyAudit, PlacesWithoutLatencyDoNotHoldABatchUp) {
  const Fixture f;
  FamilyAudit audit(f.op, one_millisecond, {});
  for (uint64_t place = 0; place < 24; ++place)
    if (place % 2 == 0)
      audit.measured(place, f.point(place, 1));
    else
      audit.without_latency(place);
  EXPECT_TRUE(audit.advance());
}

TEST(FamilyAudit, ReachesTheTargetWhenPredictionsAreGood) {
  const Fixture f;
  FamilyAudit audit(f.op, one_millisecond, {});
  for (uint64_t place = 0; place < 3000; ++place) audit.measured(place, f.point(place, 1.04));
  audit.advance();
  EXPECT_EQ(audit.verdict(.08), StopVerdict::reached);
  EXPECT_EQ(audit.verdict(.005), StopVerdict::unreachable);  // rows themselves are only 1 % sure
}

}  // namespace
}  // namespace perfatlas
