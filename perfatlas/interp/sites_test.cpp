// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/sites.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <set>

namespace perfatlas {
namespace {

const AxisLayout kGemmLike{.axes = 3, .resolver = Resolver::sites, .site_axes = 2};

/// 1 ns per (n k m).
const SolFunction kSol = [](const Coordinates& at) {
  return 1e-6 * double(at[0]) * double(at[1]) * double(at[2]);
};

MeasuredPoint point(int64_t n, int64_t k, int64_t m, double efficiency) {
  return {{n, k, m}, kSol({n, k, m}) / efficiency, {}};
}

Estimate ask(const std::vector<MeasuredPoint>& points, Coordinates at, const SolFunction& sol = kSol) {
  return SitesInterpolator(kGemmLike, points).estimate({.at = at, .sol = sol});
}

TEST(Sites, KnownSiteIsExactThenLinearAlongItsCurve) {
  const std::vector<MeasuredPoint> points = {{{64, 64, 1}, 1.0, 50.0}, {{64, 64, 3}, 3.0, 300.0}};
  const Estimate hit = ask(points, {64, 64, 3});
  EXPECT_EQ(hit.kind, EstimateKind::exact);
  EXPECT_EQ(hit.latency_ms, 3.0);
  EXPECT_EQ(*hit.energy_mj, 300.0);
  const Estimate between = ask(points, {64, 64, 2}, {});
  EXPECT_EQ(between.kind, EstimateKind::interpolated);
  EXPECT_DOUBLE_EQ(between.latency_ms, 2.0);
  EXPECT_DOUBLE_EQ(*between.energy_mj, 150.0);  // 75 W
}

TEST(Sites, BeyondTheCurveHoldsTheMedianOfThreeEndPoints) {
  const std::vector<MeasuredPoint> points = {point(64, 64, 1, 0.9), point(64, 64, 2, 0.1),
                                             point(64, 64, 4, 0.5), point(64, 64, 8, 0.3)};
  const Estimate above = ask(points, {64, 64, 16});  // of 0.1, 0.5, 0.3
  EXPECT_EQ(above.kind, EstimateKind::held);
  EXPECT_NEAR(above.latency_ms, kSol({64, 64, 16}) / 0.3, 1e-12);
  EXPECT_DOUBLE_EQ(above.distance, 1);
  const std::vector<MeasuredPoint> two = {point(64, 64, 2, 0.2), point(64, 64, 4, 0.4)};
  EXPECT_NEAR(ask(two, {64, 64, 1}).latency_ms, kSol({64, 64, 1}) / 0.3, 1e-12);  // median of an even number
  EXPECT_EQ(ask(two, {64, 64, 1}, {}).kind, EstimateKind::miss);
}

TEST(Sites, UnknownSiteTakesUtilisationOfFourNearest) {
  std::vector<MeasuredPoint> points = {point(64, 128, 8, 0.5), point(256, 128, 8, 0.25),
                                       point(128, 64, 8, 0.8), point(128, 256, 8, 0.4),
                                       point(512, 512, 8, 0.01)};
  const Estimate e = ask(points, {128, 128, 8});
  EXPECT_EQ(e.kind, EstimateKind::interpolated);
  EXPECT_NEAR(e.latency_ms, kSol({128, 128, 8}) / ((0.5 + 0.25 + 0.8 + 0.4) / 4), 1e-12);
  EXPECT_EQ(e.support().size(), 4u);
  EXPECT_DOUBLE_EQ(e.distance, 1);
}

TEST(Sites, CurvesThatCoverTheQuestionComeFirst) {
  const std::vector<MeasuredPoint> points = {point(64, 64, 1, 0.1), point(64, 64, 2, 0.1),
                                             point(256, 64, 1, 0.5), point(256, 64, 64, 0.5)};
  const Estimate e = ask(points, {90, 64, 32});  // nearer to 64, whose curve ends at 2
  for (const Support& s : e.support()) EXPECT_GE(s.point, 2u);
  EXPECT_EQ(e.kind, EstimateKind::held);
}

TEST(Sites, FarSitesAreNotUsedWhenNearOnesExist) {
  const std::vector<MeasuredPoint> points = {point(64, 64, 8, 0.5), point(1024, 64, 8, 0.1)};
  EXPECT_NEAR(ask(points, {128, 64, 8}).latency_ms, kSol({128, 64, 8}) / 0.5, 1e-12);
}

TEST(Sites, FrontierIsWaivedOnOneAxisOnly) {
  const std::vector<MeasuredPoint> points = {point(64, 64, 8, 0.5), point(64, 128, 8, 0.5)};
  const Estimate beyond_n = ask(points, {6400, 64, 8});
  EXPECT_EQ(beyond_n.kind, EstimateKind::held);
  EXPECT_NEAR(beyond_n.latency_ms, kSol({6400, 64, 8}) / 0.5, 1e-12);
  EXPECT_EQ(ask(points, {6400, 12800, 8}).kind, EstimateKind::miss);  // beyond both
  EXPECT_EQ(ask(points, {8, 8, 8}).kind, EstimateKind::miss);         // below the smallest
  EXPECT_EQ(ask(points, {6400, 8, 8}).kind, EstimateKind::miss);      // beyond one, below the other
  EXPECT_NE(ask(points, {8, 8, 8}).miss_reason, "");
}

TEST(Sites, TiesGoToTheSiteThatCameFirst) {
  // Three site axes: six sites at exactly one octave.
  const AxisLayout three{.axes = 4, .resolver = Resolver::sites, .site_axes = 3};
  std::vector<MeasuredPoint> points;
  for (size_t axis : {2, 0, 1})
    for (const int64_t value : {64, 256}) {
      Coordinates at = {128, 128, 128, 1};
      at[axis] = value;
      points.push_back({at, 1, {}});
    }
  const SolFunction one = [](const Coordinates&) { return 0.5; };
  const Estimate e = SitesInterpolator(three, points).estimate({.at = {128, 128, 128, 1}, .sol = one});
  ASSERT_EQ(e.support().size(), 4u);
  for (const Support& s : e.support()) EXPECT_LT(s.point, 4u);
}

/// Uniform in [low, high), whatever size rapidcheck has reached.
int64_t draw(int64_t low, int64_t high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<int64_t>(low, high));
}

std::vector<MeasuredPoint> random_sites() {
  std::set<Coordinates> seen;
  std::vector<MeasuredPoint> points;
  for (int64_t i = draw(2, 40); i > 0; --i) {
    const Coordinates at = {32 << draw(0, 6), 32 << draw(0, 6), int64_t{1} << draw(0, 10)};
    if (seen.insert(at).second) points.push_back(point(at[0], at[1], at[2], double(draw(1, 1001)) / 1000));
  }
  return points;
}

Coordinates random_place() { return {draw(1, 3000), draw(1, 3000), draw(1, 1500)}; }

RC_GTEST_PROP(Sites, ExactAtEveryMeasuredPoint, ()) {
  const std::vector<MeasuredPoint> points = random_sites();
  const SitesInterpolator interpolator(kGemmLike, points);
  for (uint32_t i = 0; i < points.size(); ++i) {
    const Estimate e = interpolator.estimate({.at = points[i].at, .sol = kSol});
    RC_ASSERT(e.kind == EstimateKind::exact);
    RC_ASSERT(e.latency_ms == points[i].latency_ms);
    RC_ASSERT(e.support()[0].point == i);
  }
}

RC_GTEST_PROP(Sites, NeverBelowSpeedOfLightWhenTheDataIsNot, ()) {
  const Coordinates at = random_place();
  const Estimate e = ask(random_sites(), at);
  if (e.kind == EstimateKind::miss) return;
  RC_ASSERT(e.latency_ms >= kSol(at) * (1 - 1e-9));
  double weights = 0;
  for (const Support& s : e.support()) weights += s.weight;
  RC_ASSERT(std::abs(weights - 1) < 1e-9);
}

RC_GTEST_PROP(Sites, LeftOutPointIsAsIfNeverMeasured, ()) {
  const std::vector<MeasuredPoint> points = random_sites();
  if (points.size() < 2) return;
  const auto out = size_t(draw(0, int64_t(points.size())));
  const Coordinates at = draw(0, 2) == 0 ? points[out].at : random_place();
  const Estimate without = SitesInterpolator(kGemmLike, points).estimate({at, kSol, uint32_t(out)});
  // The site keeps its place in the order of sites: its next point moves up, because order decides ties.
  std::vector<MeasuredPoint> rest = points;
  size_t erased = out;
  for (size_t i = rest.size() - 1; i > out; --i)
    if (rest[i].at[0] == rest[out].at[0] && rest[i].at[1] == rest[out].at[1]) erased = i;
  rest[out] = rest[erased];
  rest.erase(rest.begin() + std::ptrdiff_t(erased));
  const Estimate truth = ask(rest, at);
  RC_ASSERT(without.kind == truth.kind);
  RC_ASSERT(std::abs(without.latency_ms - truth.latency_ms) <= 1e-12 * truth.latency_ms);
  RC_ASSERT(without.distance == truth.distance);
}

}  // namespace
}  // namespace perfatlas
