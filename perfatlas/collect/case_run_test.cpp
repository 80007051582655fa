// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/case_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

class CaseRunTest : public testing::Test {
 protected:
  CaseRunTest() {
    context_.backend = "fake";
    context_.options.stopping = {.max_noise = 0.02, .min_samples = 10, .max_samples = 40, .max_time_s = 1};
  }
  static SampleAnswer answer(std::vector<double> latency_ms) {
    SampleAnswer a{.kernel_source = "k"};
    a.samples.latency_ms = std::move(latency_ms);
    return a;
  }
  static SampleAnswer hot_part(std::vector<double> latency_ms) {
    SampleAnswer a = answer(std::move(latency_ms));
    a.samples.after.throttle = "thermal";
    return a;
  }
  OpRegistry ops_ = all_ops();
  Case case_ = make_case(ops_.get("gemm"), Gemm{.m = 1, .n = 1000, .k = 1000});
  MeasureContext context_;
};

TEST_F(CaseRunTest, RowHoldsTheStatisticsOfExactlyTheRecordedSamples) {
  CaseRun run(context_, case_);
  EXPECT_EQ(run.request().repetitions, 10);
  ASSERT_EQ(run.take(answer({1, 1, 1, 1, 1, 1, 1, 1, 1.01, 9}), 0.1), CaseRun::Next::done);
  const CaseRecord record = run.record();
  EXPECT_EQ(record.samples_ms.size(), size_t{10});
  EXPECT_EQ(record.row->measured, std::vector<double>{1});
  EXPECT_EQ(record.row->quality->samples, 10);
  EXPECT_GT(record.row->quality->latency_p90_ms, 1.01) << "the outlier is kept";
}

TEST_F(CaseRunTest, SlowLaunchesEndWithTwoSamplesAndAWideInterval) {
  CaseRun run(context_, case_);
  EXPECT_EQ(run.take(answer({2000}), 3), CaseRun::Next::ask);
  EXPECT_EQ(run.take(answer({2100}), 5), CaseRun::Next::done);
  EXPECT_EQ(run.record().stop, StopReason::time_up);
  EXPECT_GT(run.record().row->quality->rel_ci95, 0.1);
}

TEST_F(CaseRunTest, SlowLaunchesAreWarmedUpOnce) {
  EXPECT_EQ(CaseRun(context_, case_).request().warmups, 3);
  SystemSpec spec;
  spec.memory_bandwidth.measured = 2e6;  // 1 s per launch
  spec.flops[DType::bf16].measured = 1e15;
  context_.system = spec;
  EXPECT_EQ(CaseRun(context_, case_).request().warmups, 1);
}

TEST_F(CaseRunTest, SetupDoesNotUseUpTheMeasuringTime) {
  CaseRun run(context_, case_);
  EXPECT_EQ(run.take(answer({1, 1, 1, 2, 2, 2, 3, 3, 3, 3}), 60), CaseRun::Next::ask);
}

TEST_F(CaseRunTest, CleanSamplesAreNotMixedWithThrottledOnes) {
  context_.options.throttle_retries = 1;
  CaseRun run(context_, case_);
  ASSERT_EQ(run.take(answer({1, 1, 1, 2, 2, 2, 3, 3, 3, 3}), 0), CaseRun::Next::ask);
  ASSERT_EQ(run.take(hot_part({8, 8}), 0), CaseRun::Next::pause);
  ASSERT_EQ(run.take(hot_part({9, 9}), 0), CaseRun::Next::done);
  EXPECT_EQ(run.record().samples_ms.size(), size_t{10});
  EXPECT_EQ(run.record().discarded_ms, (std::vector<double>{8, 8}));
  EXPECT_FALSE(run.record().row->quality->throttled);
}

TEST_F(CaseRunTest, PeaksOwnIntervalIsGrantedButNoMore) {
  SystemSpec spec;
  spec.memory_bandwidth.measured = 2e9;  // 1000 x 1000 bf16 weights: 1 ms in the serving state
  spec.memory_bandwidth.measured_rel_ci95 = 0.05;
  spec.flops[DType::bf16].measured = 1e15;
  context_.system = spec;
  context_.options.impossible_retries = 0;
  const auto suspect = [&](double ms) {
    CaseRun run(context_, case_);
    EXPECT_EQ(run.take(answer(std::vector<double>(10, ms)), 0), CaseRun::Next::done);
    return run.record().suspect;
  };
  EXPECT_FALSE(suspect(1.001));
  EXPECT_FALSE(suspect(0.97));
  EXPECT_TRUE(suspect(0.94));
}

TEST_F(CaseRunTest, SenselessAnswersFailWithAReason) {
  const auto reason = [&](const SampleAnswer& a) {
    CaseRun run(context_, case_);
    EXPECT_EQ(run.take(a, 0), CaseRun::Next::done);
    EXPECT_EQ(run.record().outcome, Outcome::failed);
    EXPECT_FALSE(run.record().row);
    return run.record().reason;
  };
  EXPECT_THAT(reason(answer({})), HasSubstr("without a sample"));
  EXPECT_THAT(reason(answer({1, -1})), HasSubstr("latency of -1"));
  SampleAnswer a = answer({1});
  a.samples.cache = CacheState::hot;
  EXPECT_THAT(reason(a), HasSubstr("cache state hot instead of serving"));
  a = answer({1});
  a.kernel_source.clear();
  EXPECT_THAT(reason(a), HasSubstr("which kernel"));
}

TEST_F(CaseRunTest, EnergyIsPerLaunchAndAbsentWhenUnknown) {
  context_.options.measure_energy = true;
  SampleAnswer a = answer(std::vector<double>(10, 1.0));
  a.samples.launches_per_sample = 4;
  a.samples.before.energy_mj = 100;
  CaseRun without(context_, case_);
  without.take(a, 0);
  EXPECT_FALSE(without.record().row->quality->energy_mj);
  a.samples.after.energy_mj = 900;
  CaseRun with(context_, case_);
  with.take(a, 0);
  EXPECT_EQ(with.record().row->quality->energy_mj, 20);
}

TEST_F(CaseRunTest, DeadlineGrowsWithTheCaseButNeverBelowThirtySeconds) {
  EXPECT_EQ(default_deadline_s({}, std::nullopt, {}), 30);
  EXPECT_EQ(default_deadline_s({}, SpeedOfLight{.math_ms = 1}, {}), 30);
  EXPECT_GT(default_deadline_s({}, SpeedOfLight{.math_ms = 1000}, {}), 400);
  EXPECT_GT(default_deadline_s({}, std::nullopt, {.flops = 1e14}), 400);
}

}  // namespace
}  // namespace perfatlas
