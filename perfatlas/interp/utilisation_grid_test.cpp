// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/utilisation_grid.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <set>

namespace perfatlas {
namespace {

TEST(UtilisationGrid, MeasuredPointsKeepTheirUtilisationAndOthersMixTheTwoNearest) {
  const SolFunction sol = [](const Coordinates& at) { return double(at[0]); };
  const std::vector<MeasuredPoint> points{
      {{1}, 2, {}}, {{4}, 16, {}}, {{16}, 0, {}}};  // the last does not count
  const UtilisationGrid grid(1, points, sol);
  EXPECT_EQ(grid.at({1}), 0.5);
  EXPECT_EQ(grid.at({4}), 0.25);
  EXPECT_EQ(grid.at({100}), 0.25) << "moved into the range";
  EXPECT_DOUBLE_EQ(grid.at({2}), 0.375) << "halfway in logarithms";
  EXPECT_DOUBLE_EQ(grid.between(2), 0.375);
  EXPECT_LT(grid.between(2.5), 0.375);
  EXPECT_TRUE(UtilisationGrid(1, std::span(points).subspan(2), sol).empty());
}

RC_GTEST_PROP(UtilisationGrid, AgreesWithAskingEveryPoint, ()) {
  std::set<Coordinates> places;
  for (int i = 0; i < *rc::gen::inRange(1, 40); ++i)
    places.insert({*rc::gen::inRange(1, 9), *rc::gen::inRange(1, 300), *rc::gen::inRange(1, 9), 0});
  std::vector<MeasuredPoint> points;
  for (const Coordinates& at : places) points.push_back({at, double(*rc::gen::inRange(1, 1000)), {}});
  const SolFunction sol = [](const Coordinates&) { return 1.0; };
  const UtilisationGrid grid(3, points, sol);
  const Coordinates asked = {*rc::gen::inRange(1, 12), *rc::gen::inRange(1, 400), *rc::gen::inRange(1, 12),
                             0};

  std::array<double, 3> least, largest;
  least.fill(INFINITY);
  largest.fill(-INFINITY);
  for (const MeasuredPoint& point : points)
    for (size_t axis = 0; axis < 3; ++axis) {
      least[axis] = std::min(least[axis], std::log(double(point.at[axis])));
      largest[axis] = std::max(largest[axis], std::log(double(point.at[axis])));
    }
  std::vector<std::pair<double, double>> by_distance;  // with utilisation; points ascend in their keys
  for (const MeasuredPoint& point : points) {
    double square = 0;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double span = largest[axis] > least[axis] ? largest[axis] - least[axis] : 1;
      const double here = std::clamp((std::log(double(asked[axis])) - least[axis]) / span, 0.0, 1.0);
      const double step = (std::log(double(point.at[axis])) - least[axis]) / span - here;
      square += step * step;
    }
    by_distance.push_back({square, 1 / point.latency_ms});
  }
  std::stable_sort(by_distance.begin(), by_distance.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  double expected = by_distance[0].second;
  if (by_distance.size() > 1 && by_distance[0].first > 0) {
    const double first = 1 / std::sqrt(by_distance[0].first), second = 1 / std::sqrt(by_distance[1].first);
    expected = (first * by_distance[0].second + second * by_distance[1].second) / (first + second);
  }
  RC_ASSERT(std::abs(grid.at(asked) - expected) <= 1e-12 * expected);
}

TEST(NearestCandidate, ScalesOverTheCandidatesAndPrefersTheFirstOfEquals) {
  const std::vector<std::vector<double>> candidates{{1, 1000}, {2, 10}, {4, 1000}, {2, 10}};
  EXPECT_EQ(nearest_candidate(candidates, {2, 12}), 1u);
  EXPECT_EQ(nearest_candidate(candidates, {100, 100000}), 2u);
}

}  // namespace
}  // namespace perfatlas
