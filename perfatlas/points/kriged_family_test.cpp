// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/kriged_family.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

/// Positions on a line with residual = f(x).
template <class F>
struct Line {
  LocalKriging kriging;
  Line(const std::vector<double>& x, F f, LocalKrigingSettings settings)
      : kriging(std::make_shared<const NearPoints>(1, x), values(x, f), settings) {}
  static std::vector<double> values(const std::vector<double>& x, F f) {
    std::vector<double> y;
    for (const double at : x) y.push_back(f(at));
    return y;
  }
};

TEST(LocalKriging, PassesThroughThePointsWithoutNugget) {
  const auto f = [](double x) { return std::sin(x); };
  const Line line({0, .5, 1, 1.5, 2, 2.5, 3}, f, {.nugget = 1e-9});
  EXPECT_NEAR(line.kriging.at(std::vector{1.5})->value, std::sin(1.5), 1e-4);
  EXPECT_LT(line.kriging.at(std::vector{1.5})->deviation, 1e-3);
  EXPECT_NEAR(line.kriging.at(std::vector{1.25})->value, std::sin(1.25), .01);
}

TEST(LocalKriging, ContinuesALocalTrendBeyondTheData) {
  const auto f = [](double x) { return .3 * x; };
  const Line line({0, 1, 2, 3, 4}, f, {.nugget = .003});
  EXPECT_NEAR(line.kriging.at(std::vector{5.0})->value, 1.35,
              .15);  // above the last point's 1.2, at most the line's 1.5
}

TEST(LocalKriging, LeavingOutAlsoLeavesOutTwins) {
  const auto f = [](double x) { return x > .9 && x < 1.1 ? 1.0 : 0.0; };
  const Line line({0, .5, 1, 1.01, 1.5, 2}, f, {.nugget = .003});
  EXPECT_LT(line.kriging.without(2)->value, .5);  // its twin at 1.01 would have told
}

TEST(LocalKriging, WeightsMakeTheAnswer) {
  const auto f = [](double x) { return x * x; };
  const std::vector<double> x{0, .5, 1, 2, 3};
  const Line line(x, f, {});
  double sum = 0;
  for (const KrigedWeight& w : line.kriging.weights(std::vector{1.2})) sum += w.weight * f(x[w.point]);
  EXPECT_NEAR(sum, line.kriging.at(std::vector{1.2})->value, 1e-12);
}

TEST(LocalKriging, SaysNothingWithoutPoints) {
  const auto none = std::make_shared<const NearPoints>(1, std::vector<double>{});
  EXPECT_FALSE(LocalKriging(none, {}, {}).at(std::vector{1.0}).has_value());
}

/// A gemm of 2 us launch floor and 400 TFLOP/s, over a small grid.
struct Synthetic {
  OpRegistry ops = all_ops();
  const OpType& op = ops.get("gemm");
  std::vector<SlicePoint> points;

  FieldValues at(int64_t m, int64_t n, int64_t k) const {
    FieldValues values = op.defaults();
    values[*op.find_field("m")] = m;
    values[*op.find_field("n")] = n;
    values[*op.find_field("k")] = k;
    return values;
  }
  static double latency_ms(int64_t m, int64_t n, int64_t k) {
    return .002 + 2.0 * double(m) * double(n) * double(k) / 4e11;
  }
  Synthetic() {
    for (const int64_t n : {256, 1024, 4096, 16384})
      for (const int64_t k : {256, 1024, 4096, 16384})
        for (const int64_t m : {1, 4, 16, 64, 256, 1024, 4096})
          points.push_back({at(m, n, k), latency_ms(m, n, k), std::nullopt});
  }
};

TEST(KrigedFamily, PredictsUnseenShapesOfASmoothKernel) {
  const Synthetic s;
  SystemSpec machine;
  machine.flops[DType::bf16].datasheet = 4e14;
  machine.memory_bandwidth.datasheet = 1e14;
  const KrigedFamily family(s.op, s.points, SolContext{&machine, CacheState::serving});
  for (const auto& [m, n, k] : {std::tuple{32, 2048, 2048}, {512, 512, 8192}, {2, 3072, 1536}})
    EXPECT_NEAR(*family.latency_ms(s.at(m, n, k)) / Synthetic::latency_ms(m, n, k), 1, .05) << m;
}

TEST(KrigedFamily, ARowFortyTimesTooSlowIsNamedAndDoesNotSpoilItsNeighbours) {
  Synthetic s;
  SystemSpec machine;
  machine.flops[DType::bf16].datasheet = 4e14;
  machine.memory_bandwidth.datasheet = 1e14;
  const size_t bad = 45;
  const double honest_ms = s.points[bad].latency_ms;
  s.points[bad].latency_ms *= 40;
  const KrigedFamily family(s.op, s.points, SolContext{&machine, CacheState::serving});
  const auto named = std::find_if(family.contradicted().begin(), family.contradicted().end(),
                                  [&](const auto& c) { return c.point == bad; });
  ASSERT_NE(named, family.contradicted().end());
  EXPECT_NEAR(named->expected_ms / honest_ms, 1, .2);
  EXPECT_NEAR(*family.latency_ms(s.points[bad].values) / honest_ms, 1, .2);
}

}  // namespace
}  // namespace perfatlas
