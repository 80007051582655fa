// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/audit_window.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

/// An audit every ten places, with the error that `error` says for the place.
template <class Error>
std::vector<AuditError> audits_until(uint64_t places, Error error) {
  std::vector<AuditError> audits;
  for (uint64_t place = 9; place < places; place += 10) audits.push_back({place, error(place)});
  return audits;
}

TEST(AuditWindow, SaysNothingBelowAHundredAudits) {
  const auto audits = audits_until(990, [](uint64_t) { return .01; });
  EXPECT_FALSE(audit_figure(audits, 990).has_value());
  EXPECT_EQ(stop_verdict(audits, 990, .10, 0), StopVerdict::go_on);
}

TEST(AuditWindow, OnlyTheLastTwoHundredAuditsCount) {
  const auto audits = audits_until(4000, [](uint64_t place) { return place < 2000 ? .9 : .05; });
  const auto figure = audit_figure(audits, 4000);
  ASSERT_TRUE(figure.has_value());
  EXPECT_EQ(figure->audits, 200u);
  EXPECT_DOUBLE_EQ(figure->p90, .05);
  EXPECT_EQ(stop_verdict(audits, 4000, .08, 0), StopVerdict::reached);
}

TEST(AuditWindow, IntervalEnclosesP90AndShrinksWithMoreAudits) {
  const auto ramp = [](uint64_t place) { return double(place / 10 % 100) / 100; };
  const auto few = audit_figure(audits_until(1000, ramp), 1000);
  const auto many = audit_figure(audits_until(2000, ramp), 2000);
  ASSERT_TRUE(few && many);
  EXPECT_LE(few->low, few->p90);
  EXPECT_GE(few->high, few->p90);
  EXPECT_LT(many->high - many->low, few->high - few->low);
}

TEST(AuditWindow, StopsAtAPlateauAfterTwoDoublingsWithoutGain) {
  const auto flat = audits_until(8000, [](uint64_t) { return .12; });
  EXPECT_EQ(stop_verdict(flat, 8000, .05, 0), StopVerdict::plateau);
  // Halving the error with every doubling is no plateau.
  const auto falling = audits_until(8000, [](uint64_t place) { return 100.0 / double(place + 1); });
  EXPECT_EQ(stop_verdict(falling, 8000, .001, 0), StopVerdict::go_on);
}

TEST(AuditWindow, ATargetBelowTheNoiseIsCalledUnreachable) {
  const auto flat = audits_until(2000, [](uint64_t) { return .12; });
  EXPECT_EQ(stop_verdict(flat, 2000, .05, .06), StopVerdict::unreachable);
}

TEST(AuditWindow, RepeatsOnlyWhereARowsNoiseReachesTheError) {
  EXPECT_EQ(measurements_of(.03, .08), 1);
  EXPECT_EQ(measurements_of(.08, .08), 2);
  EXPECT_EQ(measurements_of(.24, .08), 4);
}

}  // namespace
}  // namespace perfatlas
