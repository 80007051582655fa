// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/grid.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace perfatlas {
namespace {

AxisLayout layout_of(std::vector<Transform> transforms) {
  AxisLayout layout{.axes = transforms.size()};
  std::copy(transforms.begin(), transforms.end(), layout.transforms.begin());
  return layout;
}

const AxisLayout kOneAxis = layout_of({Transform::raw});
const AxisLayout kTwoAxes = layout_of({Transform::raw, Transform::raw});

/// Work proportional to the product of the coordinates, 1 us each.
const SolFunction kProduct = [](const Coordinates& at) {
  double product = 1e-3;
  for (const int64_t c : at)
    if (c != 0) product *= double(c);
  return product;
};
const SolFunction kNoSol;

Estimate ask(const AxisLayout& layout, const std::vector<MeasuredPoint>& points, Coordinates at,
             const SolFunction& sol = kProduct) {
  return GridInterpolator(layout, points).estimate({.at = at, .sol = sol});
}

TEST(Grid, MidpointBlendsLatencyAndPower) {
  // 1.0 ms at 100 W and 3.0 ms at 200 W: half way 2.0 ms at 150 W.
  const Estimate e = ask(kOneAxis, {{{2}, 1.0, 100.0}, {{4}, 3.0, 600.0}}, {3}, kNoSol);
  EXPECT_EQ(e.kind, EstimateKind::interpolated);
  EXPECT_DOUBLE_EQ(e.latency_ms, 2.0);
  EXPECT_DOUBLE_EQ(*e.energy_mj, 300.0);
  ASSERT_EQ(e.support().size(), 2u);
  EXPECT_DOUBLE_EQ(e.support()[0].weight, 0.5);
  EXPECT_DOUBLE_EQ(e.distance, std::log2(4.0 / 3.0));
}

TEST(Grid, UnknownEnergyStaysUnknown) {
  EXPECT_FALSE(ask(kOneAxis, {{{2}, 1.0, 100.0}, {{4}, 3.0, {}}}, {3}).energy_mj);
  EXPECT_FALSE(ask(kOneAxis, {{{2}, 1.0, {}}}, {2}).energy_mj);
}

TEST(Grid, SqrtAxisBlendsSquareRoots) {
  const AxisLayout sqrt_axis = layout_of({Transform::sqrt});
  const Estimate e = ask(sqrt_axis, {{{1}, 1.0, {}}, {{3}, 9.0, {}}}, {2}, kNoSol);
  EXPECT_DOUBLE_EQ(e.latency_ms, 4.0);  // ((1 + 3) / 2)^2
}

TEST(Grid, SingleAxisHoldsEfficiencyOfTheEndPoint) {
  const std::vector<MeasuredPoint> points = {{{2}, 0.004, 0.4}, {{4}, 0.016, 3.2}};
  const Estimate beyond = ask(kOneAxis, points, {40});
  EXPECT_EQ(beyond.kind, EstimateKind::held);
  EXPECT_DOUBLE_EQ(beyond.latency_ms, 0.16);  // efficiency 0.25 at 4
  EXPECT_DOUBLE_EQ(*beyond.energy_mj, 0.16 * 200);
  const Estimate before = ask(kOneAxis, points, {1});
  EXPECT_DOUBLE_EQ(before.latency_ms, 0.002);  // efficiency 0.5 at 2
}

TEST(Grid, BeyondTheDataWithoutSpeedOfLightIsAMiss) {
  const Estimate e = ask(kOneAxis, {{{2}, 1.0, {}}}, {3}, kNoSol);
  EXPECT_EQ(e.kind, EstimateKind::miss);
  EXPECT_FALSE(e.miss_reason.empty());
}

TEST(Grid, HoldOfSeveralAxesWeighsByShepard) {
  // Efficiencies 1/2, 1/4, 1/8, 1/16, 1/32 along a line; the question is 1 octave beyond the first.
  std::vector<MeasuredPoint> points;
  for (int i = 0; i < 5; ++i) {
    const int64_t a = 32 >> i;
    points.push_back({{a, 1}, 1e-3 * double(a) * std::pow(2, i + 1), {}});
  }
  const Estimate e = ask(kTwoAxes, points, {64, 1});
  double weights = 0, utilisation = 0;
  for (int i = 0; i < 4; ++i) {
    const double d = i + 1, radius = 5;
    const double w = std::pow((radius - d) / (radius * d + 1e-12), 2);
    weights += w;
    utilisation += w * std::pow(0.5, i + 1);
  }
  EXPECT_NEAR(e.latency_ms, 64e-3 / (utilisation / weights), 1e-12);
  EXPECT_EQ(e.kind, EstimateKind::held);
  EXPECT_DOUBLE_EQ(e.distance, 1);
  EXPECT_EQ(e.support().size(), 4u);
}

TEST(Grid, StaircaseCornerIsBridgedFromTheSurvivingArm) {
  // Large batch x long sequence (4, 4) is missing; (3, 4) lies between a curve that reaches it and one that does not.
  const std::vector<MeasuredPoint> points = {{{2, 2}, 0.008, {}}, {{2, 4}, 0.016, {}}, {{4, 2}, 0.016, {}}};
  const Estimate e = ask(kTwoAxes, points, {3, 4});
  EXPECT_EQ(e.kind, EstimateKind::held);
  EXPECT_DOUBLE_EQ(e.latency_ms, 0.016 * 12 / 8);  // times SOL(3, 4) / SOL(2, 4)
  EXPECT_EQ(ask(kTwoAxes, points, {3, 4}, kNoSol).kind, EstimateKind::miss);
}

TEST(Grid, BlendIsRaisedToSpeedOfLightOnlyWhenItsPointsKeepIt) {
  const AxisLayout sqrt_axis = layout_of({Transform::sqrt});
  const SolFunction linear = [](const Coordinates& at) { return double(at[0]); };
  EXPECT_DOUBLE_EQ(ask(sqrt_axis, {{{1}, 1.0, {}}, {{9}, 9.0, {}}}, {4}, linear).latency_ms, 4.0);
  EXPECT_LT(ask(sqrt_axis, {{{1}, 0.5, {}}, {{9}, 9.0, {}}}, {4}, linear).latency_ms, 4.0);
}

/// A ragged grid with efficiencies in (0, 1], and its points.
struct RandomGrid {
  AxisLayout layout;
  std::vector<MeasuredPoint> points;
};

/// Uniform in [low, high), whatever size rapidcheck has reached.
int64_t draw(int64_t low, int64_t high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<int64_t>(low, high));
}

RandomGrid random_grid(bool ragged, size_t least_axes = 1) {
  const auto axes = size_t(draw(int64_t(least_axes), 4));
  RandomGrid grid{layout_of(std::vector<Transform>(axes, Transform::raw)), {}};
  std::vector<std::set<int64_t>> values(axes);
  for (auto& set : values)
    for (int64_t i = draw(2, 6); i > 0; --i) set.insert(draw(1, 5000));
  std::vector<Coordinates> all = {{}};
  for (size_t axis = 0; axis < axes; ++axis) {
    std::vector<Coordinates> next;
    for (const Coordinates& at : all)
      for (const int64_t value : values[axis]) {
        next.push_back(at);
        next.back()[axis] = value;
      }
    all = next;
  }
  for (const Coordinates& at : all) {
    if (ragged && !grid.points.empty() && draw(0, 4) == 0) continue;
    const double efficiency = double(draw(1, 1001)) / 1000;
    grid.points.push_back({at, kProduct(at) / efficiency, {}});
  }
  return grid;
}

Coordinates random_place(const RandomGrid& grid) {
  Coordinates at{};
  for (size_t axis = 0; axis < grid.layout.axes; ++axis) at[axis] = draw(1, 5000);
  return at;
}

RC_GTEST_PROP(Grid, ExactAtEveryMeasuredPoint, ()) {
  const RandomGrid grid = random_grid(true);
  const GridInterpolator interpolator(grid.layout, grid.points);
  for (size_t i = 0; i < grid.points.size(); ++i) {
    const Estimate e = interpolator.estimate({.at = grid.points[i].at, .sol = kProduct});
    RC_ASSERT(e.kind == EstimateKind::exact);
    RC_ASSERT(e.latency_ms == grid.points[i].latency_ms);
    RC_ASSERT(e.support()[0].point == i);
  }
}

RC_GTEST_PROP(Grid, NeverOutsideTheValuesAround, ()) {
  const RandomGrid grid = random_grid(true);
  const Estimate e = ask(grid.layout, grid.points, random_place(grid));
  if (e.kind != EstimateKind::interpolated) return;
  double least = INFINITY, largest = 0, weights = 0;
  for (const Support& s : e.support()) {
    least = std::min(least, grid.points[s.point].latency_ms);
    largest = std::max(largest, grid.points[s.point].latency_ms);
    weights += s.weight;
  }
  RC_ASSERT(e.latency_ms >= least * (1 - 1e-12));
  RC_ASSERT(e.latency_ms <= largest * (1 + 1e-12));
  RC_ASSERT(std::abs(weights - 1) < 1e-9);
}

RC_GTEST_PROP(Grid, NeverBelowSpeedOfLightWhenTheDataIsNot, ()) {
  const RandomGrid grid = random_grid(true);
  const Coordinates at = random_place(grid);
  const Estimate e = ask(grid.layout, grid.points, at);
  RC_ASSERT(e.kind != EstimateKind::miss);
  RC_ASSERT(e.latency_ms >= kProduct(at) * (1 - 1e-9));
}

RC_GTEST_PROP(Grid, HoldGrowsWithTheSpeedOfLight, ()) {
  const RandomGrid grid = random_grid(false);
  const GridInterpolator interpolator(grid.layout, grid.points);
  Coordinates at = grid.points.back().at;
  at[0] *= 3;
  const Estimate near = interpolator.estimate({.at = at, .sol = kProduct});
  const SolFunction twice = [&](const Coordinates& c) { return kProduct(c) * (c == at ? 2 : 1); };
  const Estimate doubled = interpolator.estimate({.at = at, .sol = twice});
  RC_ASSERT(near.kind == EstimateKind::held);
  RC_ASSERT(std::abs(doubled.latency_ms / near.latency_ms - 2) < 1e-9);
}

RC_GTEST_PROP(Grid, ContinuousAcrossMeasuredValues, ()) {
  // Coordinates are integers: values a million apart stand for a dense axis.
  const auto left = double(draw(1, 1000)), middle = double(draw(1, 1000));
  const std::vector<MeasuredPoint> points = {
      {{1'000'000}, left, {}}, {{2'000'000}, middle, {}}, {{3'000'000}, 500.0, {}}};
  const double before = ask(kOneAxis, points, {1'999'999}).latency_ms;
  const double after = ask(kOneAxis, points, {2'000'001}).latency_ms;
  RC_ASSERT(std::abs(before - middle) < 2e-3);
  RC_ASSERT(std::abs(after - middle) < 2e-3);
}

RC_GTEST_PROP(Grid, LeftOutPointIsAsIfNeverMeasured, ()) {
  const RandomGrid grid = random_grid(true);
  if (grid.points.size() < 2) return;
  const auto out = size_t(draw(0, int64_t(grid.points.size())));
  const Coordinates at = draw(0, 2) == 0 ? grid.points[out].at : random_place(grid);
  const Estimate without = GridInterpolator(grid.layout, grid.points).estimate({at, kProduct, uint32_t(out)});
  std::vector<MeasuredPoint> rest = grid.points;
  rest.erase(rest.begin() + std::ptrdiff_t(out));
  const Estimate truth = ask(grid.layout, rest, at);
  RC_ASSERT(without.kind == truth.kind);
  RC_ASSERT(std::abs(without.latency_ms - truth.latency_ms) <= 1e-12 * truth.latency_ms);
}

/// The neighbours of a hold by looking at every point.
std::vector<uint32_t> nearest_by_brute_force(const RandomGrid& grid, const Coordinates& at) {
  std::vector<uint32_t> index(grid.points.size());
  for (uint32_t i = 0; i < index.size(); ++i) index[i] = i;
  const auto key = [&](uint32_t i) {
    return std::pair(octaves_between(grid.points[i].at, at, grid.layout.axes), grid.points[i].at);
  };
  std::stable_sort(index.begin(), index.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  index.resize(std::min<size_t>(index.size(), 4));
  return index;
}

RC_GTEST_PROP(Grid, HoldFindsTheSameNeighboursAsBruteForce, ()) {
  const RandomGrid grid = random_grid(true, 2);
  Coordinates at = random_place(grid);
  at[0] = 100'000;
  const Estimate e = ask(grid.layout, grid.points, at);
  RC_ASSERT(e.kind == EstimateKind::held);
  std::vector<uint32_t> found;
  for (const Support& s : e.support()) found.push_back(s.point);
  RC_ASSERT(found == nearest_by_brute_force(grid, at));
}

}  // namespace
}  // namespace perfatlas
