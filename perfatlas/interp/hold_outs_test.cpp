// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/hold_outs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace perfatlas {
namespace {

std::vector<MeasuredPoint> box(int64_t a, int64_t b, int64_t c) {
  std::vector<MeasuredPoint> points;
  for (int64_t i = 1; i <= a; ++i)
    for (int64_t j = 1; j <= b; ++j)
      for (int64_t k = 1; k <= c; ++k) points.push_back({{i, j, k}, 1, {}});
  return points;
}

std::vector<HoldOut> of_kind(const std::vector<HoldOut>& all, HoldOutKind kind) {
  std::vector<HoldOut> some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some),
               [&](const HoldOut& h) { return h.kind == kind; });
  return some;
}

TEST(HoldOuts, EverythingAskedWasTakenAway) {
  const auto points = box(5, 6, 7);
  for (const HoldOut& h : hold_outs({.axes = 3, .site_axes = 2}, points)) {
    const std::set<uint32_t> removed(h.removed.begin(), h.removed.end());
    EXPECT_LT(removed.size(), points.size());
    EXPECT_FALSE(h.asked.empty());
    for (const uint32_t i : h.asked) EXPECT_EQ(removed.count(i), 1u) << name_of(h.kind);
  }
}

TEST(HoldOuts, EveryInnerKeyIsAPlaneOnce) {
  const auto points = box(5, 6, 7);
  const auto planes = of_kind(hold_outs({.axes = 3}, points), HoldOutKind::plane);
  EXPECT_EQ(planes.size(), 3u + 4 + 5);
  for (const HoldOut& h : planes)
    for (const uint32_t i : h.removed) EXPECT_EQ(points[i].at[h.axis], points[h.removed[0]].at[h.axis]);
}

TEST(HoldOuts, OffGridLeavesNoKeyOfTheQuestion) {
  const auto points = box(5, 6, 7);
  const auto crossings = of_kind(hold_outs({.axes = 3}, points), HoldOutKind::off_grid);
  ASSERT_FALSE(crossings.empty());
  for (const HoldOut& h : crossings) {
    ASSERT_EQ(h.asked.size(), 1u);
    const std::set<uint32_t> removed(h.removed.begin(), h.removed.end());
    for (uint32_t i = 0; i < points.size(); ++i) {
      for (size_t d = 0; d < 3; ++d) {
        const bool shares_key = points[i].at[d] == points[h.asked[0]].at[d];
        EXPECT_TRUE(!shares_key || removed.count(i) == 1);
      }
    }
  }
}

TEST(HoldOuts, UpperThirdTakesTheLargestKeys) {
  const auto points = box(9, 2, 2);
  const auto thirds = of_kind(hold_outs({.axes = 3}, points), HoldOutKind::upper_third);
  ASSERT_EQ(thirds.size(), 1u);  // the other axes have two keys
  for (const uint32_t i : thirds[0].removed) EXPECT_GT(points[i].at[0], 6);
  EXPECT_EQ(thirds[0].removed.size(), 3u * 4);
}

TEST(HoldOuts, TheOrderOfPointsDoesNotMatter) {
  auto points = box(4, 5, 6);
  const auto coordinates = [&](const std::vector<HoldOut>& all) {
    std::vector<std::vector<Coordinates>> places;
    for (const HoldOut& h : all) {
      places.emplace_back();
      for (const uint32_t i : h.asked) places.back().push_back(points[i].at);
      std::sort(places.back().begin(), places.back().end());
    }
    return places;
  };
  const auto first = coordinates(hold_outs({.axes = 3}, points));
  std::reverse(points.begin(), points.end());
  EXPECT_EQ(coordinates(hold_outs({.axes = 3}, points)), first);
}

}  // namespace
}  // namespace perfatlas
