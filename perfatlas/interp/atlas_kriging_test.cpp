// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_kriging.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "perfatlas/interp/atlas_model.h"

namespace perfatlas {
namespace {

const SolLaw kWork = [](const double* at) -> SolParts {
  return {1e-6 * at[0] * at[1] * at[2], 1e-4 * (at[0] * at[1] + at[2])};
};

double latency_at(const double* at) {
  const SolParts sol = kWork(at);
  return 0.004 + 1.6 * sol.math_ms + 1.3 * sol.memory_ms;
}

/// A share of a box of 12 x 12 x 12, by `seed`.
std::vector<MeasuredPoint> scattered(double share, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<MeasuredPoint> points;
  for (int64_t a = 1; a <= 2048; a *= 2)
    for (int64_t b = 1; b <= 2048; b *= 2)
      for (int64_t c = 1; c <= 2048; c *= 2)
        if (double(random()) / double(random.max()) < share) {
          const double at[3] = {double(a), double(b), double(c)};
          points.push_back({{a, b, c}, latency_at(at), {}});
        }
  return points;
}

TEST(Kriging, ATenthOfAGridPredictsTheRest) {
  const KrigingSlice slice(3, scattered(0.1, 1), kWork);
  std::vector<double> errors;
  for (const MeasuredPoint& point : scattered(0.1, 2)) {
    const double at[3] = {double(point.at[0]), double(point.at[1]), double(point.at[2])};
    errors.push_back(std::abs(std::log(slice.estimate(at).latency_ms / point.latency_ms)));
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.03);
  EXPECT_LT(errors[errors.size() * 9 / 10], 0.15);
}

TEST(Kriging, MeasuredPointsAreExactAndNothingBeatsLight) {
  const auto points = scattered(0.1, 1);
  const KrigingSlice slice(3, points, kWork);
  for (const MeasuredPoint& point : points) {
    const double at[3] = {double(point.at[0]), double(point.at[1]), double(point.at[2])};
    EXPECT_EQ(slice.estimate(at).kind, EstimateKind::exact);
    EXPECT_EQ(slice.estimate(at).latency_ms, point.latency_ms);
    const double far[3] = {at[0] * 3, at[1] * 5, at[2] * 7};
    EXPECT_GE(slice.estimate(far).latency_ms, kWork(far).bound_ms());
  }
}

TEST(Kriging, ASpoiledPointDoesNotSpread) {
  auto points = scattered(0.3, 1);
  const size_t spoiled = points.size() / 2;
  points[spoiled].latency_ms *= 20;
  const KrigingSlice slice(3, points, kWork);
  const double at[3] = {points[spoiled].at[0] * 1.4, double(points[spoiled].at[1]),
                        double(points[spoiled].at[2])};
  EXPECT_LT(std::abs(std::log(slice.estimate(at).latency_ms / latency_at(at))), 0.2);
}

TEST(Kriging, SharesSumToOne) {
  const KrigingSlice slice(3, scattered(0.1, 1), kWork);
  const double at[3] = {100, 100, 100};
  double sum = 0;
  for (const Support& support : slice.support(at)) sum += support.weight;
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(AtlasModel, AStaircaseIsAGridAndASampleIsNot) {
  std::vector<MeasuredPoint> staircase;
  for (const MeasuredPoint& point : scattered(1, 1))
    if (point.at[0] * point.at[1] * point.at[2] <= 1 << 20) staircase.push_back(point);
  EXPECT_EQ(fill_fraction(3, staircase), 1);
  EXPECT_NE(AtlasModel({.axes = 3}, staircase, kWork).grid(), nullptr);
  const auto sample = scattered(0.2, 1);
  EXPECT_NEAR(fill_fraction(3, sample), 0.2, 0.05);
  EXPECT_EQ(AtlasModel({.axes = 3}, sample, kWork).grid(), nullptr);
}

}  // namespace
}  // namespace perfatlas
