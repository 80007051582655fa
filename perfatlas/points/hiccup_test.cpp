// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/hiccup.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(Hiccup, IsFarFromThePredictionAndFarFromTheUsualDeviation) {
  EXPECT_TRUE(looks_like_hiccup(.781, .018, .05));   // a published row, 43 times too slow
  EXPECT_FALSE(looks_like_hiccup(1.10, 1.0, .001));  // within 15 %, however smooth the rest is
  EXPECT_FALSE(looks_like_hiccup(1.30, 1.0, .10));   // within four sigma of a rough table
  EXPECT_TRUE(looks_like_hiccup(1.0, 43.0, .05));    // too fast is as suspicious as too slow
}

TEST(Hiccup, SigmaIgnoresOutliers) { EXPECT_DOUBLE_EQ(robust_sigma({.1, -.1, .1, -.1, 4}), .148); }

TEST(Hiccup, AThirdMeasurementDecidesADisagreementAndTheMiddleOneIsKept) {
  EXPECT_FALSE(needs_third(1.0, 1.05));
  EXPECT_TRUE(needs_third(1.0, 0.02));
  EXPECT_EQ(kept_measurement(std::vector{1.0, .021, .020}), 1u);
  EXPECT_EQ(kept_measurement(std::vector{1.05, 1.0}), 1u);
  EXPECT_EQ(kept_measurement(std::vector{1.0}), 0u);
}

}  // namespace
}  // namespace perfatlas
