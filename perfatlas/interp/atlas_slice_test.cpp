// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_slice.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace perfatlas {
namespace {

const AtlasBars kBars = AtlasBars::prior();

/// 1 us of arithmetic per unit of volume, and traffic of 1 us per unit of the sum.
const SolLaw kVolume = [](const double* at) -> SolParts {
  return {1e-3 * at[0] * at[1] * at[2], 1e-3 * (at[0] + at[1] + at[2])};
};
const AtlasLaw kBox{.axes = 3};
const AtlasLaw kLine{.axes = 1};
const SolLaw kLinear = [](const double* at) -> SolParts { return {0, 1e-3 * at[0]}; };

/// floor + 2 * work over the box of keys.
std::vector<MeasuredPoint> affine_points(const std::vector<std::vector<int64_t>>& keys, double floor_ms) {
  std::vector<MeasuredPoint> points;
  for (const int64_t a : keys[0])
    for (const int64_t b : keys[1])
      for (const int64_t c : keys[2]) {
        const double at[3] = {double(a), double(b), double(c)};
        points.push_back({{a, b, c}, floor_ms + 2 * kVolume(at).work_ms(), {}});
      }
  return points;
}

std::vector<MeasuredPoint> random_points(const AtlasLaw& law) {
  std::vector<MeasuredPoint> points;
  std::vector<std::vector<int64_t>> keys;
  for (size_t d = 0; d < 3; ++d) {
    auto axis = *rc::gen::unique<std::vector<int64_t>>(rc::gen::inRange<int64_t>(1, 200));
    if (axis.empty() || d >= law.axes) axis = {1};
    keys.push_back({axis.begin(), axis.begin() + std::ptrdiff_t(std::min<size_t>(axis.size(), 6))});
  }
  for (const int64_t a : keys[0])
    for (const int64_t b : keys[1])
      for (const int64_t c : keys[2])
        if (points.empty() || *rc::gen::inRange(0, 5) > 0) {
          const double at[3] = {double(a), double(b), double(c)};
          const double efficiency = 0.01 * *rc::gen::inRange(20, 100);
          points.push_back({{a, b, c}, 0.01 + kVolume(at).bound_ms() / efficiency, {}});
        }
  return points;
}

std::array<double, 3> random_question() {
  return {double(*rc::gen::inRange<int64_t>(1, 800)), double(*rc::gen::inRange<int64_t>(1, 800)),
          double(*rc::gen::inRange<int64_t>(1, 800))};
}

TEST(AtlasSlice, LatencyAffineInWorkIsMetEverywhereInside) {
  const AtlasSlice slice(kBox, affine_points({{1, 8, 64}, {2, 16, 128}, {1, 4, 32}}, 0.02), kVolume);
  const double at[3] = {20, 100, 7};
  const AtlasEstimate e = slice.estimate(at, kBars);
  EXPECT_EQ(e.kind, EstimateKind::interpolated);
  EXPECT_NEAR(e.latency_ms, 0.02 + 2 * kVolume(at).work_ms(), 1e-9);
}

TEST(AtlasSlice, BeyondTheDataTheLineInWorkGoesOn) {
  const AtlasSlice slice(kBox, affine_points({{1, 8, 64}, {2, 16, 128}, {1, 4, 32}}, 0.02), kVolume);
  const double at[3] = {128, 16, 4};  // one octave: no blend yet
  const AtlasEstimate e = slice.estimate(at, kBars);
  EXPECT_EQ(e.kind, EstimateKind::held);
  EXPECT_NEAR(e.latency_ms, 0.02 + 2 * kVolume(at).work_ms(), 1e-9);
}

TEST(AtlasSlice, NothingIsSaidBeyondTheDataOfAnUnknownMachine) {
  const AtlasSlice slice(kLine, std::vector<MeasuredPoint>{{{4}, 1, {}}, {{8}, 2, {}}}, {});
  const double inside = 6, beyond = 9;
  EXPECT_DOUBLE_EQ(slice.estimate(&inside, kBars).latency_ms, 1.5);
  EXPECT_EQ(slice.estimate(&beyond, kBars).kind, EstimateKind::miss);
}

TEST(AtlasSlice, FarBeyondHeldEfficiencyHasItsShare) {
  // A flat curve: the line says no growth, held efficiency says growth with work; three octaves out 0.2 of the way.
  const SolLaw small = [](const double* at) -> SolParts { return {0, 1e-5 * at[0]}; };
  const AtlasSlice slice(kLine, std::vector<MeasuredPoint>{{{100}, 1, {}}, {{1000}, 1, {}}}, small);
  const double at = 8000;
  EXPECT_NEAR(slice.estimate(&at, kBars).latency_ms, std::pow(8.0, 0.2), 1e-9);
}

TEST(AtlasSlice, NoAnswerBeyondTheDataIsMoreEfficientThanTheBestRow) {
  const AtlasSlice slice(kLine, std::vector<MeasuredPoint>{{{1000}, 10, {}}, {{4000}, 10.1, {}}}, kLinear);
  const double at = 1e6;  // efficiency 0.4 at best, and at least 0.8 is allowed
  EXPECT_GE(slice.estimate(&at, kBars).latency_ms, 1e6 * 1e-3 / 0.8);
}

TEST(AtlasSlice, SpoiledRowsAreRepaired) {
  std::vector<MeasuredPoint> points = affine_points({{1, 2, 4, 8}, {1, 2, 4, 8}, {1, 2, 4, 8}}, 1);
  const size_t spoiled = 21;  // (2, 2, 2)
  const double before = points[spoiled].latency_ms;
  points[spoiled].latency_ms = 50;
  const AtlasSlice slice(kBox, points, kVolume);
  const double at[3] = {2, 2, 2};
  const AtlasEstimate e = slice.estimate(at, kBars);
  EXPECT_TRUE(e.repaired);
  EXPECT_NEAR(e.latency_ms, before, 1e-9);
  const AtlasSlice trusting(kBox, points, kVolume, {.trust_every_row = true});
  EXPECT_EQ(trusting.estimate(at, kBars).latency_ms, 50);
}

TEST(AtlasSlice, ADoubtfulRowIsAnsweredAsMeasuredButNotSpread) {
  std::vector<MeasuredPoint> points = affine_points({{1, 2, 4, 8}, {1, 2, 4, 8}, {1, 2, 4, 8}}, 1);
  points[21].latency_ms *= 1.5;
  const AtlasSlice slice(kBox, points, kVolume);
  const double hit[3] = {2, 2, 2}, beside[3] = {2, 2, 3};
  EXPECT_EQ(slice.estimate(hit, kBars).latency_ms, points[21].latency_ms);
  EXPECT_FALSE(slice.estimate(hit, kBars).repaired);
  EXPECT_NEAR(slice.estimate(beside, kBars).latency_ms, 1 + 2 * kVolume(beside).work_ms(), 1e-9);
}

TEST(AtlasSlice, RowsFasterThanLightAreFlaggedAndNotHidden) {
  const AtlasSlice slice(
      kLine, std::vector<MeasuredPoint>{{{1000}, 0.5, {}}, {{2000}, 3, {}}, {{4000}, 6, {}}}, kLinear);
  const double fast = 1000, slow = 2000, beside = 1001;
  EXPECT_TRUE(slice.estimate(&fast, kBars).faster_than_light);
  EXPECT_EQ(slice.estimate(&fast, kBars).latency_ms, 0.5);
  EXPECT_FALSE(slice.estimate(&slow, kBars).faster_than_light);
  EXPECT_TRUE(slice.estimate(&beside, kBars).faster_than_light);
}

TEST(AtlasSlice, SharesOfTheRowsBehindAnAnswerSumToOne) {
  const AtlasSlice slice(kBox, affine_points({{1, 8, 64}, {2, 16, 128}, {1, 4, 32}}, 0.02), kVolume);
  const double at[3] = {20, 100, 4000};
  double sum = 0;
  for (const Support& support : slice.support(at)) sum += support.weight;
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(AtlasSlice, AHoleCountsAsTheRowsItWasFilledFrom) {
  std::vector<MeasuredPoint> points;
  for (const int64_t a : {1, 2, 4})
    for (const int64_t b : {1, 2, 4})
      if (a != 2 || b != 2) points.push_back({{a, b}, double(10 * a + b), {}});
  const AtlasSlice slice(AtlasLaw{.axes = 2}, points, {});
  const double at[2] = {2, 2};
  const std::vector<Support> support = slice.support(at);
  ASSERT_EQ(support.size(), 2u);
  EXPECT_EQ(points[support[0].point].at, (Coordinates{2, 1}));
  EXPECT_NEAR(support[0].weight, 2.0 / 3, 1e-12);
  EXPECT_EQ(points[support[1].point].at, (Coordinates{2, 4}));
  double mean = 0;
  for (const Support& s : support) mean += s.weight * points[s.point].latency_ms;
  EXPECT_NEAR(mean, slice.estimate(at, kBars).latency_ms, 1e-12);
}

TEST(AtlasSlice, PowerIsBlendedInsideAndKeptBeyond) {
  const AtlasSlice slice(kLine, std::vector<MeasuredPoint>{{{100}, 1, 100.0}, {{300}, 3, 600.0}}, kLinear);
  const double inside = 200, beyond = 600;
  EXPECT_NEAR(slice.estimate(&inside, kBars).power_w, 150, 1e-4);
  EXPECT_NEAR(slice.estimate(&beyond, kBars).power_w, 200, 1e-4);
}

TEST(AtlasSlice, MessageSizesFollowAMonotoneCurve) {
  const AtlasLaw curve{.axes = 1, .log_curve = true};
  std::vector<MeasuredPoint> points;
  for (int64_t x = 1; x <= 1 << 20; x *= 4) points.push_back({{x}, 0.005 * std::pow(double(x), 0.3), {}});
  const AtlasSlice slice(curve, points, kLinear);
  const double at = 2048;  // a power law is a line between logarithms
  EXPECT_NEAR(slice.estimate(&at, kBars).latency_ms, 0.005 * std::pow(2048.0, 0.3), 1e-9);
}

RC_GTEST_PROP(AtlasSliceProperty, EveryMeasuredPointIsExactUnlessSpoiled, ()) {
  const auto points = random_points(kBox);
  const AtlasSlice slice(kBox, points, kVolume);
  for (const MeasuredPoint& point : points) {
    const double at[3] = {double(point.at[0]), double(point.at[1]), double(point.at[2])};
    const AtlasEstimate e = slice.estimate(at, kBars);
    RC_ASSERT(e.kind == EstimateKind::exact);
    RC_ASSERT(e.repaired || e.latency_ms == point.latency_ms);
  }
}

RC_GTEST_PROP(AtlasSliceProperty, OrderOfRowsChangesNothing, (uint32_t seed)) {
  auto points = random_points(kBox);
  const auto question = random_question();
  const AtlasSlice slice(kBox, points, kVolume);
  std::shuffle(points.begin(), points.end(), std::mt19937(seed));
  const AtlasSlice shuffled(kBox, points, kVolume);
  const AtlasEstimate a = slice.estimate(question.data(), kBars),
                      b = shuffled.estimate(question.data(), kBars);
  RC_ASSERT(a.kind == b.kind);
  RC_ASSERT(a.latency_ms == b.latency_ms);
}

RC_GTEST_PROP(AtlasSliceProperty, NeverBelowTheSpeedOfLight, ()) {
  const auto points = random_points(kBox);
  const auto question = random_question();
  const AtlasEstimate e = AtlasSlice(kBox, points, kVolume).estimate(question.data(), kBars);
  // Beyond the data the bound is on the line through two others: rounded otherwise.
  RC_ASSERT(e.faster_than_light || e.latency_ms >= (1 - 1e-12) * kVolume(question.data()).bound_ms());
  RC_ASSERT(!e.faster_than_light);  // every point keeps it
}

struct Plain {
  double latency_ms = 0, power_w = 0;
};

/// The answer of the axes from `axis` on, one axis after the other, where every step asks the law for every place.
Plain asked_everywhere(const AtlasCells& cells, size_t axis, std::array<double, kMaxAxes> at, size_t cell) {
  if (axis == cells.law.axes) return {cells.cell[cell].latency_ms, cells.cell[cell].power_w};
  const std::span<const double> keys = cells.keys(axis);
  const double x = at[axis];
  const auto upper = size_t(std::upper_bound(keys.begin(), keys.end(), x) - keys.begin());
  const auto child = [&](size_t i) {
    auto there = at;
    there[axis] = keys[i];
    return asked_everywhere(cells, axis + 1, there, cell + i * cells.stride[axis]);
  };
  if (upper > 0 && keys[upper - 1] == x) return child(upper - 1);
  if (upper > 0 && upper < keys.size()) {
    const double share = share_between(cells.law, cells.sol, axis, at.data(), keys[upper - 1], keys[upper]);
    const Plain a = child(upper - 1), b = child(upper);
    return {a.latency_ms + (b.latency_ms - a.latency_ms) * share,
            a.power_w + (b.power_w - a.power_w) * share};
  }
  const size_t end = upper > 0 ? upper - 1 : 0;
  const size_t anchor = upper > 0 ? upper_anchor_of(keys) : lower_anchor_of(keys);
  const Plain a = child(end);
  return {latency_beyond(cells.law, cells.sol, axis, at.data(), {keys[end], a.latency_ms},
                         {keys[anchor], child(anchor).latency_ms}),
          a.power_w};
}

/// Points on a random grid of `axes` axes, with holes and power.
std::vector<MeasuredPoint> random_box(size_t axes, const SolLaw& law) {
  std::vector<MeasuredPoint> points{{}};
  for (size_t d = 0; d < axes; ++d) {
    auto keys = *rc::gen::unique<std::vector<int64_t>>(rc::gen::inRange<int64_t>(1, 200));
    keys.resize(std::min<size_t>(keys.size(), 4));
    if (keys.empty()) keys = {1};
    std::vector<MeasuredPoint> more;
    for (const MeasuredPoint& point : points)
      for (const int64_t key : keys) {
        more.push_back(point);
        more.back().at[d] = key;
      }
    points = more;
  }
  for (MeasuredPoint& point : points) {
    const double at[kMaxAxes] = {double(point.at[0]), double(point.at[1]), double(point.at[2]),
                                 double(point.at[3])};
    point.latency_ms = 0.01 + law(at).bound_ms() / (0.01 * *rc::gen::inRange(20, 100));
    point.energy_mj = point.latency_ms * *rc::gen::inRange(100, 700);
  }
  const auto first = points[0];
  std::erase_if(points, [](const MeasuredPoint&) { return *rc::gen::inRange(0, 6) == 0; });
  if (points.empty()) points = {first};
  return points;
}

/// Bent along the second axis, straight along the others.
const SolLaw kBent = [](const double* at) -> SolParts {
  return {1e-3 * at[0] * std::min(at[1], 50.0) * at[2] * (1 + at[3]),
          1e-3 * (at[0] + at[1] * at[1] + at[2] + at[3])};
};

RC_GTEST_PROP(AtlasSliceProperty, AnswersAreThoseOfOneAxisAfterTheOther, (bool in_work)) {
  const auto axes = size_t(*rc::gen::inRange(1, 5));
  AtlasLaw law{.axes = axes};
  if (in_work && axes > 1) law.axis[1].inside = AxisCoordinate::work;
  law.growth_limit = *rc::gen::element(1.0, 1.1);
  const AtlasSlice slice(law, random_box(axes, kBent), kBent);
  const AtlasCells& cells = slice.cells();
  RC_ASSERT((cells.straight | 0b10) == (0b1111 >> (kMaxAxes - axes) | 0b10));
  std::array<double, kMaxAxes> at{};
  for (size_t d = 0; d < axes; ++d)
    at[d] = *rc::gen::arbitrary<bool>()
                ? cells.keys(d)[size_t(*rc::gen::inRange<int>(0, int(cells.keys(d).size())))]
                : double(*rc::gen::inRange<int64_t>(1, 1600));
  const AtlasEstimate e = slice.estimate(at.data(), kBars);
  if (e.kind == EstimateKind::exact) return;
  Plain expected = asked_everywhere(cells, 0, at, 0);
  const double bound = kBent(at.data()).bound_ms();
  if (!e.faster_than_light) expected.latency_ms = std::max(expected.latency_ms, bound);
  if (e.kind == EstimateKind::held)
    expected.latency_ms = std::max(expected.latency_ms, bound / cells.best_utilisation);
  RC_ASSERT(std::abs(e.latency_ms - expected.latency_ms) <= 1e-11 * expected.latency_ms);
  RC_ASSERT(std::abs(e.power_w - expected.power_w) <= 1e-6 * expected.power_w);
}

RC_GTEST_PROP(AtlasSliceProperty, InsideOneAxisTheAnswerLiesBetweenItsNeighbours, ()) {
  std::vector<MeasuredPoint> points;
  for (int64_t x = 2; x <= 40; x += 2 * *rc::gen::inRange(1, 4))
    points.push_back({{x}, 1e-3 * *rc::gen::inRange(50, 500), {}});
  const AtlasSlice slice(kLine, points, kLinear, {.trust_every_row = true});
  const auto left = size_t(*rc::gen::inRange<int64_t>(0, int64_t(points.size()) - 1));
  const MeasuredPoint &below = points[left], &above = points[left + 1];
  const double x = double(below.at[0]) + 1;
  const double least = std::min(below.latency_ms, above.latency_ms),
               most = std::max(below.latency_ms, above.latency_ms);
  const AtlasEstimate e = slice.estimate(&x, kBars);
  RC_ASSERT(e.kind == EstimateKind::interpolated);
  RC_ASSERT(e.latency_ms >= least * (1 - 1e-12));
  RC_ASSERT(e.latency_ms <= most * (1 + 1e-12));
}

RC_GTEST_PROP(AtlasSliceProperty, IntervalsAreNested, ()) {
  const auto points = random_points(kBox);
  const AtlasSlice slice(kBox, points, kVolume);
  BarCalibration calibration(1, 1);
  calibration.add(slice.cells());
  const AtlasBars bars = calibration.bars();
  const AtlasEstimate e = slice.estimate(random_question().data(), bars);
  RC_ASSERT(e.half_width[0] >= 0);
  RC_ASSERT(e.half_width[0] <= e.half_width[1]);
  RC_ASSERT(e.half_width[1] <= e.half_width[2]);
}

}  // namespace
}  // namespace perfatlas
