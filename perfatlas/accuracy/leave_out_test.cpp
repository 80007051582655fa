// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/accuracy/leave_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/accuracy/loo_summary.h"
#include "perfatlas/interp/atlas_op.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

/// A machine on which a GEMM takes 5 us and twice its work.
class LeaveOutTest : public testing::Test {
 protected:
  LeaveOutTest() {
    auto machine = std::make_shared<SystemSpec>();
    machine->memory_bandwidth.datasheet = 1e12;
    machine->flops[DType::bf16].datasheet = 1e14;
    slice_.machine = machine;
    for (int64_t n = 256; n <= 8192; n *= 2)
      for (int64_t k = 256; k <= 8192; k *= 2)
        for (int64_t m = 1; m <= 1024; m *= 2) {
          const Case c = make_case(op_, Gemm{.m = m, .n = n, .k = k});
          slice_.prototype = c.values;
          const double latency = 5e-3 + 2 * sol_parts(op_, c.values, slice_.context()).work_ms();
          slice_.rows.push_back(uint32_t(slice_.points.size()));
          slice_.points.push_back({coordinates_of(op_, c.values), latency, {}});
        }
  }

  const LooGroup& group(const std::vector<LooGroup>& groups, std::string_view name) {
    return *std::find_if(groups.begin(), groups.end(), [&](const LooGroup& g) { return g.name == name; });
  }

  OpType op_ = make_op_type<Gemm>();
  OpSlice slice_;
};

TEST_F(LeaveOutTest, AtlasIsRightWhereLatencyIsAffineInWork) {
  const auto groups = summarise(leave_out(op_, {&slice_, 1}, {}));
  EXPECT_LT(group(groups, "inside").atlas.p99, 1e-6);
  EXPECT_LT(group(groups, "largest key").atlas.p99, 1e-6);
  EXPECT_GT(group(groups, "largest key").aic.p50, 0.01);  // held efficiency misses the 5 us
}

TEST_F(LeaveOutTest, SpoiledRowsAreNotAsked) {
  slice_.points[200].latency_ms *= 30;
  const double spoiled = slice_.points[200].latency_ms;
  for (const LeftOut& one : leave_out(op_, {&slice_, 1}, {})) EXPECT_NE(one.measured_ms, spoiled);
}

TEST_F(LeaveOutTest, SameSeedSameQuestions) {
  const auto a = leave_out(op_, {&slice_, 1}, {.seed = 3}), b = leave_out(op_, {&slice_, 1}, {.seed = 3});
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].measured_ms, b[i].measured_ms);
}

TEST_F(LeaveOutTest, SummaryCountsMissesApart) {
  std::vector<LeftOut> found(10, {HoldOutKind::plane, 0, 1.0, false, 1.1, 0.9, {0.05f, 0.2f, 0.3f}});
  found[0].aic_ms = 0;
  const auto groups = summarise(found);
  const LooGroup& plane = group(groups, "plane");
  EXPECT_EQ(plane.asked, 10u);
  EXPECT_EQ(plane.aic.answered, 9u);
  EXPECT_NEAR(plane.aic.bias, std::log(1.1), 1e-12);
  EXPECT_NEAR(plane.atlas.bias, std::log(0.9), 1e-12);
  EXPECT_EQ(plane.coverage, (std::array<double, 3>{0, 1, 1}));
}

}  // namespace
}  // namespace perfatlas
