// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_batch.h"

#include <gmock/gmock.h>

#include <numeric>

#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/backends/cuda/launch_overhead.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

struct Fixture {
  FakeRuntime runtime;
  FakeKernel kernel{runtime};
  std::vector<char> buffers = std::vector<char>(2048);
  std::vector<char> flush = std::vector<char>(64);

  BatchRequest request(int sets, int launches, CacheState cache) {
    BatchRequest made{.kernel = &kernel, .launches = launches, .cache = cache};
    for (int i = 0; i < sets; ++i) made.operand_sets.push_back({&buffers[size_t(i)]});
    return made;
  }
  CudaBatchContext context() {
    return {.runtime = &runtime, .stream = &runtime, .flush = {flush.data(), flush.size()}};
  }

  /// Numbers of the operand sets that ran since the last call.
  std::vector<int> sets_run() {
    std::vector<int> sets;
    for (const FakeRuntime::Ran& ran : runtime.ran)
      if (ran.kind == FakeRuntime::Ran::work)
        sets.push_back(int(static_cast<const char*>(ran.operand) - buffers.data()));
    runtime.ran.clear();
    return sets;
  }
};

TEST(CudaBatch, TimesAllLaunchesOfOneGraph) {
  Fixture f;
  f.runtime.work_ms = 0.25;
  CudaBatch batch(f.context(), f.request(1, 8, CacheState::hot));
  f.runtime.ran.clear();
  EXPECT_DOUBLE_EQ(batch.run_ms(), 8 * 0.25);
  EXPECT_EQ(batch.mode(), LaunchMode::graph);
  EXPECT_EQ(batch.note(), "");
  for (const auto& ran : f.runtime.ran) EXPECT_TRUE(ran.from_graph && ran.held);
}

TEST(CudaBatch, CapturesNothingTwice) {
  Fixture f;
  CudaBatch batch(f.context(), f.request(3, 6, CacheState::serving));
  for (int i = 0; i < 10; ++i) batch.run_ms();
  EXPECT_EQ(f.runtime.captures, 1u);
}

TEST(CudaBatch, RotationGoesOnOverSamplesWhateverTheRatioOfLaunchesToSets) {
  for (const int sets : {1, 2, 3, 5, 7, 64})
    for (const int launches : {1, 2, 3, 4, 5, 50}) {
      Fixture f;
      CudaBatch batch(f.context(), f.request(sets, launches, CacheState::serving));
      EXPECT_EQ(batch.rotation(), 0u);
      f.sets_run();
      for (int i = 0; i < 20; ++i) batch.run_ms();
      const std::vector<int> run = f.sets_run();
      ASSERT_EQ(run.size(), size_t(20 * launches));
      for (size_t i = 0; i < run.size(); ++i)
        ASSERT_EQ(run[i], int(i) % sets) << sets << " sets, " << launches;
    }
}

TEST(CudaBatch, HoldsABoundedNumberOfGraphNodes) {
  Fixture f;
  constexpr int launches = 1000, sets = 999;  // every repetition starts at another set
  f.buffers.resize(sets);
  CudaBatch batch(f.context(), f.request(sets, launches, CacheState::serving));
  size_t most = 0;
  for (int i = 0; i < 60; ++i) {
    batch.run_ms();
    most = std::max(most, f.runtime.live_graphs);
  }
  EXPECT_LE(most * launches, CudaBatch::kMaxGraphNodes);
  EXPECT_GT(most, 1u);
}

TEST(CudaBatch, ColdFlushesBeforeEveryLaunchOutsideTheTime) {
  Fixture f;
  f.runtime.work_ms = 2;
  f.runtime.flush_ms = 1000;
  constexpr int launches = 70;  // more than one chunk
  CudaBatch batch(f.context(), f.request(2, launches, CacheState::cold));
  f.runtime.ran.clear();
  EXPECT_DOUBLE_EQ(batch.run_ms(), launches * 2.0);
  ASSERT_EQ(f.runtime.ran.size(), size_t(2 * launches));
  for (size_t i = 0; i < f.runtime.ran.size(); ++i)
    EXPECT_EQ(f.runtime.ran[i].kind, i % 2 == 0 ? FakeRuntime::Ran::flush : FakeRuntime::Ran::work);
}

TEST(CudaBatch, FallsBackToEagerAndSaysWhy) {
  for (const CacheState cache : {CacheState::hot, CacheState::serving, CacheState::cold}) {
    Fixture f;
    f.runtime.capture_fails = true;
    CudaBatch batch(f.context(), f.request(3, 400, cache));
    EXPECT_EQ(batch.mode(), LaunchMode::eager);
    EXPECT_THAT(batch.note(), HasSubstr("cudaErrorStreamCaptureUnsupported"));
    f.sets_run();
    EXPECT_DOUBLE_EQ(batch.run_ms(), 400.0);
    EXPECT_DOUBLE_EQ(batch.run_ms(), 400.0);
    const std::vector<int> run = f.sets_run();
    ASSERT_EQ(run.size(), 800u);
    for (size_t i = 0; i < run.size(); ++i) ASSERT_EQ(run[i], int(i % 3));
    EXPECT_EQ(f.runtime.live_graphs, 0u);
  }
}

TEST(CudaBatch, EagerLetsTheStreamGoBeforeTheLaunchQueueIsFull) {
  Fixture f;
  f.runtime.capture_fails = true;
  CudaBatch batch(f.context(), f.request(1, 2000, CacheState::hot));
  f.runtime.ran.clear();
  batch.run_ms();
  EXPECT_TRUE(f.runtime.ran.front().held);
  const auto held =
      std::count_if(f.runtime.ran.begin(), f.runtime.ran.end(), [](const auto& ran) { return ran.held; });
  EXPECT_LT(held, 1024);
}

TEST(CudaBatch, RefusesToFallBackWhenNotAllowed) {
  Fixture f;
  f.runtime.capture_fails = true;
  BatchRequest request = f.request(1, 4, CacheState::hot);
  request.allow_graph_fail = false;
  EXPECT_THROW(CudaBatch(f.context(), request), Error);
  EXPECT_EQ(f.runtime.live_graphs, 0u);
  EXPECT_EQ(f.runtime.live_events, 0u);
}

TEST(CudaBatch, NeverTimesAGraphThatHoldsLessThanTheLaunches) {
  Fixture f;
  f.runtime.capture_sees_nothing = true;
  CudaBatch batch(f.context(), f.request(1, 4, CacheState::hot));
  EXPECT_EQ(batch.mode(), LaunchMode::eager);
  EXPECT_THAT(batch.note(), HasSubstr("does not use the given stream"));
  EXPECT_EQ(f.runtime.live_graphs, 0u);
}

TEST(CudaBatch, ALostContextIsNoReasonForEager) {
  Fixture f;
  f.runtime.context_lost = true;
  EXPECT_THROW(CudaBatch(f.context(), f.request(1, 4, CacheState::hot)), Error);
}

TEST(CudaBatch, RefusesEventsInTheWrongOrder) {
  for (const CacheState cache : {CacheState::hot, CacheState::cold}) {
    Fixture f;
    f.runtime.time_runs_backwards = true;
    CudaBatch batch(f.context(), f.request(1, 4, cache));
    EXPECT_THAT([&] { batch.run_ms(); }, testing::ThrowsMessage<Error>(HasSubstr("clock cannot be trusted")));
  }
}

TEST(ClockMeter, AveragesOverSamplesOfOneMultiprocessor) {
  ClockMeter meter;
  EXPECT_EQ(meter.take_mhz(), std::nullopt);
  meter.add({1000, 10'000, 3}, {1'001'000, 1'010'000, 3});  // a million cycles in a million nanoseconds
  meter.add({0, 0, 3}, {2'000'000, 1'000'000, 3});
  meter.add({0, 0, 3}, {900'000'000, 1'000'000, 4});  // other counters
  EXPECT_DOUBLE_EQ(meter.take_mhz().value(), 1500);
  EXPECT_EQ(meter.take_mhz(), std::nullopt);
}

TEST(CudaBatch, LeavesNoGraphAndNoEvent) {
  Fixture f;
  {
    CudaBatch batch(f.context(), f.request(5, 3, CacheState::serving));
    for (int i = 0; i < 7; ++i) batch.run_ms();
    EXPECT_EQ(f.runtime.live_graphs, 5u);
  }
  EXPECT_EQ(f.runtime.live_graphs, 0u);
  EXPECT_EQ(f.runtime.live_events, 0u);
}

TEST(LaunchOverhead, SplitsFixedAndPerLaunchParts) {
  FakeRuntime runtime;
  runtime.work_ms = 0.002;
  const LaunchOverhead overhead = measure_launch_overhead(runtime, &runtime);
  EXPECT_NEAR(overhead.node_us, 2, 1e-9);
  EXPECT_NEAR(overhead.graph_us, 0, 1e-9);
  EXPECT_NEAR(overhead.eager_us, 2, 1e-9);
  EXPECT_EQ(runtime.live_graphs + runtime.live_events, 0u);
}

}  // namespace
}  // namespace perfatlas
