// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/sol.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace perfatlas {
namespace {

constexpr double kMiB = 1 << 20;

/// 1 TFLOP/s bf16, 100 GB/s memory, 400 GB/s last-level cache of 32 MiB.
SystemSpec machine() {
  SystemSpec spec;
  spec.llc_bytes = 32 * kMiB;
  spec.memory_bandwidth.measured = 100e9;
  spec.llc_bandwidth.measured = 400e9;
  spec.flops[DType::bf16].measured = 1e12;
  return spec;
}

Work work_of(double flops, double weights, double kv, double activations, double written) {
  return {.flops = flops,
          .weight_bytes_read = weights,
          .kv_bytes_read = kv,
          .activation_bytes_read = activations,
          .bytes_written = written,
          .math = DType::bf16};
}

TEST(SpeedOfLight, ServingChargesWeightsAndKvToMemoryAndActivationsToTheCache) {
  Work work = work_of(2e9, 3e6, 1e6, 2e6, 6e6);
  work.kv_bytes_written = 1e6;
  const auto sol = speed_of_light(work, machine(), CacheState::serving);
  ASSERT_TRUE(sol);
  EXPECT_DOUBLE_EQ(sol->math_ms, 2.0);     // 2e9 / 1e12 s
  EXPECT_DOUBLE_EQ(sol->memory_ms, 0.05);  // 5e6 / 100e9 s
  EXPECT_DOUBLE_EQ(sol->llc_ms, 0.02);     // 8e6 / 400e9 s
  EXPECT_EQ(sol->ms(), 2.0);
  EXPECT_EQ(sol->bound(), "math");
}

TEST(SpeedOfLight, ColdChargesEverythingToMemory) {
  const auto sol = speed_of_light(work_of(1e6, 3e6, 1e6, 2e6, 6e6), machine(), CacheState::cold);
  ASSERT_TRUE(sol);
  EXPECT_DOUBLE_EQ(sol->memory_ms, 0.12);
  EXPECT_EQ(sol->llc_ms, 0);
  EXPECT_EQ(sol->bound(), "memory");
}

TEST(SpeedOfLight, HotStaysInTheCacheUntilItNoLongerFits) {
  const auto fits = speed_of_light(work_of(0, 16 * kMiB, 0, 8 * kMiB, 8 * kMiB), machine(), CacheState::hot);
  ASSERT_TRUE(fits);
  EXPECT_DOUBLE_EQ(fits->llc_ms, 32 * kMiB / 400e9 * 1e3);
  EXPECT_EQ(fits->bound(), "llc");
  const auto spills =
      speed_of_light(work_of(0, 16 * kMiB, 0, 8 * kMiB, 8 * kMiB + 1), machine(), CacheState::hot);
  ASSERT_TRUE(spills);
  EXPECT_EQ(spills->llc_ms, 0);
  EXPECT_DOUBLE_EQ(spills->memory_ms, (32 * kMiB + 1) / 100e9 * 1e3);
}

TEST(SpeedOfLight, AnUnknownPeakThatIsNeededGivesNoAnswer) {
  SystemSpec spec = machine();
  const Work int8{.flops = 1, .weight_bytes_read = 1, .math = DType::int8};
  EXPECT_FALSE(speed_of_light(int8, spec, CacheState::serving));
  spec.memory_bandwidth = {};
  EXPECT_FALSE(speed_of_light(work_of(1, 1, 0, 0, 0), spec, CacheState::serving));
  EXPECT_FALSE(speed_of_light(work_of(1, 0, 0, 1, 0), spec, CacheState::cold));
}

TEST(SpeedOfLight, AnUnknownPeakThatIsNotNeededDoesNoHarm) {
  SystemSpec spec = machine();
  spec.flops.clear();
  EXPECT_TRUE(speed_of_light(work_of(0, 1e6, 0, 1e6, 0), spec, CacheState::serving));  // a memory op
  spec = machine();
  spec.memory_bandwidth = {};
  EXPECT_TRUE(speed_of_light(work_of(1e9, 0, 0, 1e6, 0), spec, CacheState::serving));
}

TEST(SpeedOfLight, AnUnknownCacheIsFreeButColdStillPaysMemory) {
  SystemSpec spec = machine();
  spec.llc_bandwidth = {};
  const Work work = work_of(1e6, 1e6, 0, 1e9, 0);
  EXPECT_EQ(speed_of_light(work, spec, CacheState::serving)->llc_ms, 0);
  EXPECT_GT(speed_of_light(work, spec, CacheState::cold)->memory_ms, 10);
  spec.llc_bytes.reset();  // of unknown size: everything might fit
  EXPECT_EQ(speed_of_light(work, spec, CacheState::hot)->memory_ms, 0);
}

TEST(SpeedOfLight, MeasuredPeaksGoBeforeTheDataSheet) {
  SystemSpec spec = machine();
  spec.memory_bandwidth.datasheet = 200e9;
  EXPECT_DOUBLE_EQ(speed_of_light(work_of(0, 1e8, 0, 0, 0), spec, CacheState::serving)->ms(), 1.0);
  spec.memory_bandwidth.measured.reset();
  EXPECT_DOUBLE_EQ(speed_of_light(work_of(0, 1e8, 0, 0, 0), spec, CacheState::serving)->ms(), 0.5);
}

Work any_work() {
  const auto amount = [](double largest) { return *rc::gen::inRange<int64_t>(0, int64_t(largest)) * 1.0; };
  Work work = work_of(amount(1e15), amount(1e9), amount(1e9), amount(1e8), amount(1e8));
  work.kv_bytes_written = amount(1e8);
  return work;
}

SystemSpec any_machine() {
  SystemSpec spec;
  const double memory = *rc::gen::inRange<int64_t>(1'000'000'000, 10'000'000'000'000) * 1.0;
  spec.llc_bytes = *rc::gen::inRange<int64_t>(1 << 20, 1 << 30) * 1.0;
  spec.memory_bandwidth.datasheet = memory;
  spec.llc_bandwidth.datasheet = memory * *rc::gen::inRange(1, 20);
  spec.flops[DType::bf16].datasheet = *rc::gen::inRange<int64_t>(1'000'000'000, 1'000'000'000'000'000) * 1.0;
  return spec;
}

double sol_ms(const Work& work, const SystemSpec& spec, CacheState cache) {
  const auto sol = speed_of_light(work, spec, cache);
  RC_ASSERT(sol.has_value());
  return sol->ms();
}

constexpr CacheState kStates[] = {CacheState::serving, CacheState::hot, CacheState::cold};

RC_GTEST_PROP(SpeedOfLight, NeverDecreasesWithMoreWork, ()) {
  const SystemSpec spec = any_machine();
  const Work less = any_work(), extra = any_work();
  const Work more{less.flops + extra.flops,
                  less.weight_bytes_read + extra.weight_bytes_read,
                  less.kv_bytes_read + extra.kv_bytes_read,
                  less.activation_bytes_read + extra.activation_bytes_read,
                  less.kv_bytes_written + extra.kv_bytes_written,
                  less.bytes_written + extra.bytes_written,
                  DType::bf16};
  for (const CacheState state : kStates) RC_ASSERT(sol_ms(more, spec, state) >= sol_ms(less, spec, state));
}

RC_GTEST_PROP(SpeedOfLight, ColdIsTheSlowestState, ()) {
  const SystemSpec spec = any_machine();
  const Work work = any_work();
  const double cold = sol_ms(work, spec, CacheState::cold);
  RC_ASSERT(cold >= sol_ms(work, spec, CacheState::serving));
  RC_ASSERT(cold >= sol_ms(work, spec, CacheState::hot));
}

RC_GTEST_PROP(SpeedOfLight, ServingIsNoFasterThanHotWhenNothingIsLeftWarm, ()) {
  const SystemSpec spec = any_machine();
  Work work = any_work();
  work.activation_bytes_read = work.bytes_written = 0;
  RC_ASSERT(sol_ms(work, spec, CacheState::serving) >= sol_ms(work, spec, CacheState::hot));
}

RC_GTEST_PROP(SpeedOfLight, IsTheLargestOfItsBounds, ()) {
  const auto sol = speed_of_light(any_work(), any_machine(), kStates[*rc::gen::inRange(0, 3)]);
  RC_ASSERT(sol.has_value());
  const double bound = sol->bound() == "math"     ? sol->math_ms
                       : sol->bound() == "memory" ? sol->memory_ms
                                                  : sol->llc_ms;
  RC_ASSERT(sol->ms() == bound);
  RC_ASSERT(sol->ms() >= sol->math_ms);
  RC_ASSERT(sol->ms() >= sol->memory_ms);
  RC_ASSERT(sol->ms() >= sol->llc_ms);
}

}  // namespace
}  // namespace perfatlas
