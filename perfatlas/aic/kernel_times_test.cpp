// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/kernel_times.h"

#include <gtest/gtest.h>

namespace perfatlas::aic {
namespace {

KernelTimes times() {
  KernelTimes times;
  times.add(1, 4096, 0, 100);
  times.add(1, 4096, 1024, 200);
  times.add(1, 8192, 0, 400);
  times.add(8, 4096, 0, 90);
  times.add(8, 4096, 0, 80);
  return times;
}

TEST(KernelTimes, AreLinearInCachedTokensAndHeldOutsideThem) {
  EXPECT_EQ(times().ms(1, 4096, 0), 100);
  EXPECT_EQ(times().ms(1, 4096, 512), 150);
  EXPECT_EQ(times().ms(1, 4096, 5000), 200);
}

TEST(KernelTimes, AreThoseOfTheNearestLengthAndBatchOfTwoTheSmaller) {
  EXPECT_EQ(times().ms(1, 6144, 0), 100);
  EXPECT_EQ(times().ms(1, 6145, 0), 400);
  EXPECT_EQ(times().ms(1, 1, 0), 100);
  EXPECT_EQ(times().ms(4, 4096, 0), 100);
  EXPECT_EQ(times().ms(5, 4096, 0), 80) << "a later time at the same place counts";
}

TEST(KernelTimes, SayNothingAboveTheLongestMeasuredPromptOfTheNearestBatch) {
  EXPECT_EQ(times().ms(1, 8193, 0), std::nullopt);
  EXPECT_EQ(times().ms(9, 4097, 0), std::nullopt);
  EXPECT_EQ(times().longest(9), 4096);
  EXPECT_EQ(KernelTimes().ms(1, 1, 0), std::nullopt);
}

}  // namespace
}  // namespace perfatlas::aic
