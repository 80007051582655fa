// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/slice.h"

#include <gtest/gtest.h>

#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

/// One exact field, one axis, clamped to the speed of light when loaded.
struct Toy {
  bool fast = false;
  int64_t tokens = 1;
  bool operator==(const Toy&) const = default;
  static constexpr OpInfo info{.id = "toy", .table = "toy_perf", .op_name = "toy", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{field("fast", &Toy::fast, Role::exact, "fast"),
                                            field("tokens", &Toy::tokens, Role::axis, "tokens")};
  static constexpr auto axes = std::array{axis<&Toy::tokens, Toy>("tokens")};
  static constexpr TableLayout layout{.clamp_to_sol = true};
  std::string_view why_invalid() const { return {}; }
  Work work() const { return {.weight_bytes_read = 1e6 * double(tokens)}; }
};

class SliceTest : public testing::Test {
 protected:
  SliceTest() { system_.memory_bandwidth.measured = 1e9; }  // 1 ms per token
  SlicePoint at(bool fast, int64_t tokens, double latency_ms) const {
    return {make_case(op_, Toy{fast, tokens}).values, latency_ms, {}};
  }
  OpType op_ = make_op_type<Toy>();
  SystemSpec system_;
};

TEST_F(SliceTest, AnswersAlongTheAxesWithTheOpsOwnSpeedOfLight) {
  const Slice slice(op_, std::vector{at(false, 2, 4.0), at(false, 4, 8.0)}, {&system_});
  EXPECT_DOUBLE_EQ(slice.estimate(at(false, 3, 0).values).latency_ms, 6.0);
  const Estimate held = slice.estimate(at(false, 16, 0).values);
  EXPECT_EQ(held.kind, EstimateKind::held);
  EXPECT_DOUBLE_EQ(held.latency_ms, 32.0);
}

TEST_F(SliceTest, ImpossiblyFastRowsAreRaisedWhenTheLayoutSaysSo) {
  const Slice slice(op_, std::vector{at(false, 2, 4.0), at(false, 4, 3.0)}, {&system_});
  EXPECT_TRUE(slice.raised(1));
  EXPECT_FALSE(slice.raised(0));
  EXPECT_DOUBLE_EQ(slice.estimate(at(false, 4, 0).values).latency_ms, 4.0);
}

TEST_F(SliceTest, WithoutAMachineNothingIsRaisedOrHeld) {
  const Slice slice(op_, std::vector{at(false, 2, 4.0), at(false, 4, 3.0)}, {});
  EXPECT_DOUBLE_EQ(slice.estimate(at(false, 4, 0).values).latency_ms, 3.0);
  EXPECT_EQ(slice.estimate(at(false, 5, 0).values).kind, EstimateKind::miss);
}

TEST_F(SliceTest, LeaveOneOutNeverCrossesSlices) {
  std::vector<SlicePoint> rows;
  for (int64_t t = 1; t <= 8; ++t) {
    rows.push_back(at(false, t, double(t) * 2));
    rows.push_back(at(true, t, double(t) * 20));
    rows.push_back(at(true, t, 1e9));  // a repeat does not count
  }
  const auto residuals = leave_one_out_by_slice(op_, rows, {&system_}, 100);
  EXPECT_EQ(residuals.size(), 16u);
  EXPECT_LT(summarize(residuals).max, 1e-12);
}

}  // namespace
}  // namespace perfatlas
