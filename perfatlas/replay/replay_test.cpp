// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

/// A gemm whose latency is its speed of light plus a launch, with a little noise that follows from the case.
struct Synthetic {
  OpRegistry ops = all_ops();
  const OpType& op = ops.get("gemm");
  SystemSpec system;
  ReplayFamily family{"gemm bfloat16", {}, {}};

  Synthetic() {
    system.system = "synthetic";
    system.flops[DType::bf16].datasheet = 4e14;
    system.memory_bandwidth.datasheet = 2e12;
    // More than kWholeFamily rows: smaller families have no audits.
    const std::array<int64_t, 11> sizes{256, 512, 768, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192};
    for (const int64_t n : sizes)
      for (const int64_t k : sizes)
        for (const int64_t m : {1,  2,  3,   4,   8,   12,  16,  24,  32,  40,  48,   49,   64,
                                80, 96, 128, 192, 224, 256, 384, 512, 640, 768, 1024, 2048, 4096}) {
          FieldValues values = op.defaults();
          values[*op.find_field("m")] = m;
          values[*op.find_field("n")] = n;
          values[*op.find_field("k")] = k;
          const double noise = .02 * std::sin(double(case_id({&op, values}) % 1000));
          family.values.push_back(values);
          family.latency_ms.push_back((.003 + 1.4 * sol_ms(op, values, {&system, CacheState::serving})) *
                                      (1 + noise));
        }
  }
};

TEST(ReplayHoldOut, KeepsTwinsTogetherAndLosesNoRow) {
  const Synthetic s;
  const SizeSpace space(s.op);
  const ReplayHoldOut held = replay_hold_out(space, s.family);
  EXPECT_EQ(held.pool.size() + held.known_shapes.size() + held.new_shapes.size(), s.family.values.size());
  EXPECT_FALSE(held.new_shapes.empty());
  const size_t m = *s.op.find_field("m");
  for (const uint32_t row : held.pool) {
    EXPECT_NE(s.family.values[row][m], 48);
    EXPECT_NE(s.family.values[row][m], 49);
  }
  // A new shape has no row in the pool.
  for (const uint32_t row : held.new_shapes)
    for (const uint32_t other : held.pool)
      ASSERT_NE(space.shape_of(s.family.values[row]), space.shape_of(s.family.values[other]));
}

TEST(Replay, ASmoothKernelNeedsFewPointsAndTheCurvesSaySo) {
  const Synthetic s;
  const ReplayResult r = replay(s.op, s.family, s.system, {.shares = {.05, .2, .8}, .most_tests = 200});
  ASSERT_EQ(r.curves.size(), 3u);
  EXPECT_EQ(r.curves[0].strategy, "small plan");
  EXPECT_LT(r.curves[0].points.back().error.p90, .05);
  EXPECT_LE(r.full_kriged.p90, r.curves[0].points.front().error.p90);
  EXPECT_EQ(r.full_kriged.misses, 0u);
  const std::string text = replay_text(r), svg = replay_svg(r);
  EXPECT_THAT(text, HasSubstr("gemm bfloat16 on synthetic"));
  EXPECT_THAT(svg, HasSubstr("<svg xmlns"));
  EXPECT_LT(svg.size(), 8000u);
  EXPECT_THAT(replay_json({r}), HasSubstr("\"strategy\": \"coarse grid\""));
}

/// Where head_dim 192 has few shapes, those that are held out leave slices without a point.
TEST(Replay, RowsThatTheResolverCannotAnswerAreNotHeldAgainstThePlan) {
  const OpRegistry ops = all_ops();
  const OpType& op = ops.get("attention_context");
  const Synthetic gemm;
  ReplayFamily family{"attention_context bfloat16 bfloat16", {}, {}};
  const auto add = [&](int64_t head_dim, int64_t heads, int64_t kv_heads) {
    for (int64_t isl = 16; isl <= 4096; isl *= 2)
      for (int64_t batch = 1; batch <= 16; batch *= 2) {
        FieldValues values = op.defaults();
        values[*op.find_field("head_dim")] = head_dim;
        values[*op.find_field("num_heads")] = heads;
        values[*op.find_field("num_key_value_heads")] = kv_heads;
        values[*op.find_field("isl")] = isl;
        values[*op.find_field("batch_size")] = batch;
        // A slice of one shape follows a law of its own, that nothing else tells.
        const double factor = head_dim == 192 ? 3 : 1;
        family.values.push_back(values);
        family.latency_ms.push_back(factor * (.003 + sol_ms(op, values, {&gemm.system, CacheState::cold})));
      }
  };
  for (int64_t heads = 2; heads <= 64; heads *= 2)
    for (int64_t kv_heads = 1; kv_heads < heads; kv_heads *= 2) add(128, heads, kv_heads);
  for (int64_t kv_heads = 1; kv_heads <= 32; ++kv_heads) add(192, 3 * kv_heads, kv_heads);
  const ReplayResult r = replay(op, family, gemm.system, {.shares = {.8}, .most_tests = 2000});
  ASSERT_GT(r.full_resolver.misses, 0u);
  EXPECT_EQ(r.full_kriged.misses, 0u);
  EXPECT_EQ(r.full_resolver.comparable_p90, r.full_resolver.p90);
  EXPECT_NE(r.full_kriged.comparable_p90, r.full_kriged.p90);
  EXPECT_THAT(replay_text(r), HasSubstr("  comparable"));
}

TEST(Replay, AuditsStopAPlanThatIsGoodEnough) {
  const Synthetic s;
  const ReplayResult r =
      replay(s.op, s.family, s.system, {.shares = {.9}, .target_p90 = .08, .most_tests = 200});
  ASSERT_TRUE(r.stop.has_value());
  EXPECT_EQ(r.stop->verdict, StopVerdict::reached);
  EXPECT_LE(r.stop->figure.p90, .08);
}

}  // namespace
}  // namespace perfatlas
