// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_transfer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace perfatlas {
namespace {

/// Slices over tokens of a kernel with 3 us floor, half the arithmetic peak and 0.8 of the bandwidth.
class TransferTest : public testing::Test {
 protected:
  static SolLaw sol_of(double width) {
    return [width](const double* at) -> SolParts { return {1e-5 * at[0] * width, 1e-4 * width}; };
  }
  static double latency_of(double width, double tokens) {
    const SolParts sol = sol_of(width)(&tokens);
    return 3e-3 + 2 * sol.math_ms + 1.25 * sol.memory_ms;
  }
  static TransferShape shape_of(double width) { return {{{std::log2(width)}, 1}, sol_of(width)}; }

  /// `factor`: how much slower this width is than the roofline.
  void add(double width, double factor = 1) {
    std::vector<MeasuredPoint> points;
    for (int64_t tokens = 1; tokens <= 4096; tokens *= 2)
      points.push_back({{tokens}, factor * latency_of(width, double(tokens)), {}});
    slices_.push_back(std::make_unique<AtlasSlice>(AtlasLaw{.axes = 1}, points, sol_of(width)));
    members_.push_back({shape_of(width), slices_.back().get()});
  }

  std::vector<std::unique_ptr<AtlasSlice>> slices_;
  std::vector<TransferMember> members_;
};

TEST_F(TransferTest, RooflineOfThreeNumbersIsRecovered) {
  for (const double width : {64, 256, 1024}) add(width);
  const Roofline roofline = TransferGroup({}, members_).roofline();
  EXPECT_NEAR(roofline.floor_ms, 3e-3, 1e-6);
  EXPECT_NEAR(roofline.math, 2, 1e-6);
  EXPECT_NEAR(roofline.memory, 1.25, 1e-4);
}

TEST_F(TransferTest, NoCoefficientIsNegative) {
  // Falls with arithmetic: only the floor is left.
  const std::vector<RooflinePoint> points{{{1, 0}, 3}, {{2, 0}, 2}, {{3, 0}, 1}};
  const Roofline roofline = fit_roofline(points);
  EXPECT_EQ(roofline.math, 0);
  EXPECT_EQ(roofline.memory, 0);
  EXPECT_GT(roofline.floor_ms, 0);
}

TEST_F(TransferTest, AnUnseenSliceFollowsTheSimilarOnes) {
  for (const double width : {64, 128, 2048, 4096}) add(width, width < 1000 ? 1 : 3);
  const TransferGroup group({.nearest = 2}, members_);
  const TransferShape small = shape_of(96), large = shape_of(3000);
  const double at = 300;
  const double e_small = group.estimate(small, group.neighbours(small), &at).latency_ms;
  const double e_large = group.estimate(large, group.neighbours(large), &at).latency_ms;
  EXPECT_NEAR(e_small / latency_of(96, 300), 1, 0.1);
  EXPECT_NEAR(e_large / latency_of(3000, 300), 3, 0.3);
}

TEST_F(TransferTest, SharesSumToOneAndTheNearestHasMost) {
  for (const double width : {64, 128, 256, 512}) add(width);
  const auto neighbours = TransferGroup({.nearest = 3}, members_).neighbours(shape_of(200));
  ASSERT_EQ(neighbours.size(), 3u);
  EXPECT_EQ(neighbours[0].member, 2u);
  EXPECT_GT(neighbours[0].share, neighbours[1].share);
  EXPECT_NEAR(neighbours[0].share + neighbours[1].share + neighbours[2].share, 1, 1e-12);
}

TEST_F(TransferTest, BarsWidenWithTheSpreadOfTheNeighbours) {
  for (int i = 0; i < 40; ++i) add(64 * std::pow(2, 0.2 * i), i < 20 ? 1 : 1 + 0.5 * (i % 2));
  const TransferBars bars = TransferGroup({}, members_).calibrate(40);
  EXPECT_LT(width_of(bars, 0.01)[1], 0.1f);
  EXPECT_GT(width_of(bars, 0.3)[1], 0.1f);
}

}  // namespace
}  // namespace perfatlas
