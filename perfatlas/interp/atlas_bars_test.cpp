// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_bars.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "perfatlas/base/error.h"
#include "perfatlas/interp/atlas_slice.h"

namespace perfatlas {
namespace {

const SolLaw kLinear = [](const double* at) -> SolParts { return {0, 1e-4 * at[0] * at[1]}; };

/// Latency proportional to work, with noise of `sd` in the logarithm.
std::vector<MeasuredPoint> noisy_points(double sd, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0, sd);
  std::vector<MeasuredPoint> points;
  for (int64_t a = 1; a <= 40; ++a)
    for (int64_t b = 1; b <= 40; ++b)
      points.push_back({{a * 16, b * 16}, 2e-4 * double(a * 16 * b * 16) * std::exp(noise(random)), {}});
  return points;
}

AtlasBars bars_of(double sd) {
  BarCalibration calibration(1, 1);
  calibration.add(make_cells(AtlasLaw{.axes = 2}, noisy_points(sd, 7), kLinear));
  return calibration.bars();
}

TEST(AtlasBars, WidthsFollowTheNoiseOfTheTable) {
  // A residual between two neighbours has sqrt(1.5) times the noise of one row; 80 % of it lie within 1.28 sd.
  const AtlasBars bars = bars_of(0.02);
  EXPECT_NEAR(bars.of(0, AxisStep::inside, 0)[1], 0.02 * std::sqrt(1.5) * 1.28, 0.004);
  EXPECT_NEAR(bars.exact[1], 0.02 * 1.28, 0.004);
  EXPECT_GT(bars_of(0.08).of(0, AxisStep::inside, 7)[1], 2 * bars.of(0, AxisStep::inside, 7)[1]);
}

TEST(AtlasBars, TheBarsCoverWhatTheyPromise) {
  const AtlasBars bars = bars_of(0.03);
  const AtlasSlice slice(AtlasLaw{.axes = 2}, noisy_points(0.03, 7), kLinear);
  const std::vector<MeasuredPoint> fresh = noisy_points(0.03, 8);
  size_t asked = 0, within = 0;
  for (const MeasuredPoint& truth : fresh) {
    const double at[2] = {double(truth.at[0]) + 8, double(truth.at[1])};
    const AtlasEstimate e = slice.estimate(at, bars);
    if (e.kind != EstimateKind::interpolated) continue;
    const double measured = truth.latency_ms * at[0] / double(truth.at[0]);
    ++asked;
    within += std::abs(std::log(e.latency_ms / measured)) <= e.half_width[1];
  }
  EXPECT_NEAR(double(within) / double(asked), 0.8, 0.06);
}

TEST(AtlasBars, TooFewRowsLeaveThePrior) {
  BarCalibration calibration(1, 1);
  calibration.add(make_cells(AtlasLaw{.axes = 1},
                             std::vector<MeasuredPoint>{{{1}, 1, {}}, {{2}, 2, {}}, {{4}, 4, {}}}, {}));
  const AtlasBars bars = calibration.bars();
  EXPECT_EQ(bars.of(0, AxisStep::inside, 0), AtlasBars::prior().of(0, AxisStep::inside, 0));
  EXPECT_EQ(bars.exact, AtlasBars::prior().exact);
}

TEST(AtlasBars, BytesAreReadBack) {
  const AtlasBars bars = bars_of(0.05);
  EXPECT_EQ(bars_from_bytes(to_bytes(bars)), bars);
  EXPECT_THROW(bars_from_bytes(to_bytes(bars).substr(1)), Error);
  std::string foreign = to_bytes(bars);
  foreign[0] = 'x';
  EXPECT_THROW(bars_from_bytes(foreign), Error);
}

TEST(AtlasBars, SpreadIsTheSmallerOfLatencyAndEfficiencyRatio) {
  EXPECT_DOUBLE_EQ(spread_of(1, 4, 1, 4), 1);  // proportional to the speed of light
  EXPECT_DOUBLE_EQ(spread_of(1, 1, 1, 4), 1);  // flat
  EXPECT_DOUBLE_EQ(spread_of(4, 1, 0, 0), 4);  // unknown speed of light
  EXPECT_DOUBLE_EQ(spread_of(1, 2, 1, 8), 2);
}

}  // namespace
}  // namespace perfatlas
