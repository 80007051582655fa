// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/frontier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>

namespace perfatlas {
namespace {

using testing::ElementsAre;

TEST(Frontier, KeepsWhatNothingBeatsInBothFigures) {
  const std::vector<FrontierPoint> points{{10, 100}, {20, 90}, {15, 80}, {20, 90}, {30, 10}, {30, 9}};
  EXPECT_THAT(pareto_frontier(points), ElementsAre(0, 1, 4));
  EXPECT_THAT(pareto_frontier(points, Better::less), ElementsAre(0));
}

TEST(Frontier, LeavesOutWhatIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<FrontierPoint> points{{nan, 1}, {1, std::numeric_limits<double>::infinity()}, {1, 1}};
  EXPECT_THAT(pareto_frontier(points), ElementsAre(2));
  EXPECT_TRUE(pareto_frontier({}).empty());
}

TEST(Frontier, EqualsTheComparisonOfAllPairs) {
  EXPECT_TRUE(rc::check([](const std::vector<std::pair<uint8_t, uint8_t>>& raw, bool more) {
    std::vector<FrontierPoint> points;
    for (const auto& [speed, throughput] : raw)
      points.push_back({double(speed % 16), double(throughput % 16)});
    const auto good = [&](const FrontierPoint& p) { return more ? p.speed : -p.speed; };
    const auto beaten_by = [&](size_t i, size_t j) {
      const bool equal = points[i].speed == points[j].speed && points[i].throughput == points[j].throughput;
      return good(points[j]) >= good(points[i]) && points[j].throughput >= points[i].throughput &&
             (!equal || j < i);
    };
    std::vector<size_t> expected;
    for (size_t i = 0; i < points.size(); ++i) {
      bool beaten = false;
      for (size_t j = 0; j < points.size(); ++j) beaten |= j != i && beaten_by(i, j);
      if (!beaten) expected.push_back(i);
    }
    std::sort(expected.begin(), expected.end(),
              [&](size_t a, size_t b) { return points[a].speed < points[b].speed; });
    RC_ASSERT(pareto_frontier(points, more ? Better::more : Better::less) == expected);
  }));
}

TEST(Frontier, GpusThatFormNoReplicaLowerTheClustersThroughput) {
  EXPECT_DOUBLE_EQ(cluster_throughput(100, 24, 32), 75);
  EXPECT_DOUBLE_EQ(cluster_throughput(100, 8, 32), 100);
}

}  // namespace
}  // namespace perfatlas
