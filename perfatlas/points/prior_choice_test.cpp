// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/prior_choice.h"

#include <gtest/gtest.h>

#include <cmath>

namespace perfatlas {
namespace {

constexpr double kFloor = .010;
const std::vector<PriorPoint> kOld{
    {.010, .001, .0005}, {.020, .008, .004}, {.040, .030, .015}, {.160, .150, .075}, {.640, .600, .300}};
const std::vector<PriorPoint> kPoints{kOld[0], kOld[2], kOld[4]};
const std::vector<double> kMeasured{.0100, .0240, .3300};

TEST(PriorChoice, ScalesWhenTheNewMachineIsTwiceAsFast) {
  const PriorScore raw = score_prior(kPoints, kMeasured, PriorUse::raw, kFloor);
  const PriorScore scaled = score_prior(kPoints, kMeasured, PriorUse::scaled, kFloor);
  EXPECT_NEAR(raw.error, .4070, 5e-5);
  EXPECT_NEAR(scaled.error, .0597, 5e-5);
  EXPECT_NEAR(scaled.bias, .0145, 5e-5);
  EXPECT_EQ(choose_prior(kPoints, kMeasured, kFloor), PriorUse::scaled);
}

TEST(PriorChoice, PredictsEveryOldCaseWithTheBias) {
  const double bias = score_prior(kPoints, kMeasured, PriorUse::scaled, kFloor).bias;
  const std::vector<double> expected{.00968, .01578, .02537, .08624, .33000};
  for (size_t i = 0; i < kOld.size(); ++i)
    EXPECT_NEAR(std::exp(prior_mean(kOld[i], PriorUse::scaled, kFloor) + bias), expected[i], 6e-6) << i;
  const auto residual = [&](size_t i, double measured) {
    return std::log(measured) - prior_mean(kOld[i], PriorUse::scaled, kFloor) - bias;
  };
  EXPECT_NEAR(residual(0, .0100), .0320, 5e-4);
  EXPECT_NEAR(residual(2, .0240), -.0553, 5e-4);
  EXPECT_NEAR(residual(4, .3300), 0, 1e-9);
}

TEST(PriorChoice, UnknownSpeedOfLightRulesScalingOut) {
  std::vector<PriorPoint> points = kPoints;
  points[0].old_sol_ms = 0;
  EXPECT_EQ(choose_prior(points, kMeasured, kFloor), PriorUse::raw);
}

}  // namespace
}  // namespace perfatlas
