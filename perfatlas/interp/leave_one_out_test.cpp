// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/leave_one_out.h"

#include <gtest/gtest.h>

#include <cmath>

#include "perfatlas/interp/error_bar.h"

namespace perfatlas {
namespace {

const AxisLayout kOneAxis{};
const SolFunction kLinear = [](const Coordinates& at) { return double(at[0]); };

std::vector<MeasuredPoint> line(int count, double efficiency) {
  std::vector<MeasuredPoint> points;
  for (int i = 1; i <= count; ++i) points.push_back({{i}, i / efficiency, {}});
  return points;
}

TEST(LeaveOneOut, ALineIsPredictedFromItsNeighbours) {
  const auto points = line(10, 0.5);
  const auto residuals = leave_one_out(*make_interpolator(kOneAxis, points), points, kLinear, 100);
  ASSERT_EQ(residuals.size(), 10u);
  EXPECT_EQ(residuals.front().kind, EstimateKind::held);
  EXPECT_EQ(residuals[4].kind, EstimateKind::interpolated);
  EXPECT_LT(summarize(residuals).max, 1e-12);
}

TEST(LeaveOneOut, AWrongPointShowsAsItsError) {
  auto points = line(9, 0.5);
  points[4].latency_ms *= 2;  // estimated at half of what it says
  const auto residuals = leave_one_out(*make_interpolator(kOneAxis, points), points, kLinear, 100);
  EXPECT_NEAR(residuals[4].relative_error, 0.5, 1e-12);
  EXPECT_GT(residuals[3].relative_error, 0.1);
  EXPECT_NEAR(summarize(residuals).max, 5.0 / 8,
              1e-12);  // its neighbour 4 is estimated as (3 + 10) / 2 * 2 = 13
}

TEST(LeaveOneOut, WithoutSpeedOfLightTheEndsAreMisses) {
  const auto points = line(5, 0.5);
  const auto residuals = leave_one_out(*make_interpolator(kOneAxis, points), points, {}, 100);
  const ResidualSummary summary = summarize(residuals);
  EXPECT_EQ(summary.misses, 2u);
  EXPECT_EQ(summary.points, 3u);
}

TEST(LeaveOneOut, SampleIsSpreadOverTheSlice) {
  const auto points = line(100, 0.5);
  EXPECT_EQ(leave_one_out(*make_interpolator(kOneAxis, points), points, kLinear, 7).size(), 7u);
}

TEST(LeaveOneOut, ASinglePointSaysNothing) {
  const auto points = line(1, 0.5);
  EXPECT_TRUE(leave_one_out(*make_interpolator(kOneAxis, points), points, kLinear, 7).empty());
}

TEST(LeaveOneOut, QuantilesAreNearestRank) {
  EXPECT_EQ(error_quantile({3, 1, 2, 4, 5, 6, 7, 8, 9, 10}, 0.9), 9);
  EXPECT_EQ(error_quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(error_quantile({3}, 0.5), 3);
}

TEST(LeaveEdgesOut, HoldsFromWhatRemains) {
  const auto points = line(64, 0.5);
  const auto residuals = leave_edges_out(kOneAxis, points, kLinear, 1000);
  ASSERT_EQ(residuals.size(), 32u + 48u);
  double farthest = 0;
  for (const Residual& r : residuals) {
    EXPECT_LT(r.relative_error, 1e-12);
    farthest = std::max(farthest, r.distance);
  }
  EXPECT_DOUBLE_EQ(farthest, 2);
}

Residual residual(EstimateKind kind, double distance, double error) { return {kind, distance, error}; }
Estimate estimate(EstimateKind kind, double distance) { return {.kind = kind, .distance = distance}; }

TEST(ErrorBar, IsTheNinthOfTenResidualsOfItsKindAndDistance) {
  std::vector<Residual> residuals;
  for (int i = 1; i <= 10; ++i) residuals.push_back(residual(EstimateKind::interpolated, 1, i / 100.0));
  residuals.push_back(residual(EstimateKind::interpolated, 8, 5.0));
  residuals.push_back(residual(EstimateKind::held, 1, 7.0));
  const ErrorBar bar(residuals);
  EXPECT_DOUBLE_EQ(*bar.of(estimate(EstimateKind::interpolated, 1.5)), 0.09);
  EXPECT_FALSE(bar.of(estimate(EstimateKind::held, 1)));           // one residual says nothing
  EXPECT_FALSE(bar.of(estimate(EstimateKind::interpolated, 16)));  // nor is an error carried outwards
  EXPECT_FALSE(bar.of(estimate(EstimateKind::exact, 0)));
}

TEST(ErrorBar, ComesFromFartherPointsWhereNearOnesAreFew) {
  std::vector<Residual> residuals = {residual(EstimateKind::interpolated, 0.4, 9.0)};
  for (int i = 1; i <= 10; ++i) residuals.push_back(residual(EstimateKind::interpolated, 1, i / 100.0));
  const ErrorBar bar(residuals);
  EXPECT_DOUBLE_EQ(*bar.of(estimate(EstimateKind::interpolated, 0.9)),
                   0.09);  // 0.4 is nearer than half of 0.9
  EXPECT_DOUBLE_EQ(*bar.of(estimate(EstimateKind::interpolated, 0.3)),
                   0.09);                                           // ten from 0.4 on: 9.0 is the largest
  EXPECT_FALSE(bar.of(estimate(EstimateKind::interpolated, 2.5)));  // nothing from 1.25 on
}

TEST(ErrorBar, IsNeverZero) {
  const std::vector<Residual> perfect(20, residual(EstimateKind::held, 1, 0));
  EXPECT_FALSE(ErrorBar(perfect).of(estimate(EstimateKind::held, 1)));
}

}  // namespace
}  // namespace perfatlas
