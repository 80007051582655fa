// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

/// Pointers of every launch, in order.
struct LaunchLog {
  std::vector<std::vector<float*>> launches;
  FakeStepKernel::Launch sink() {
    return [this](std::span<float* const> p, size_t) { launches.emplace_back(p.begin(), p.end()); };
  }
};

struct Bench {
  OpType op = make_op_type<FakeStep>();
  LaunchLog log;
  KernelEntry kernel = fake_step_kernel({}, log.sink());
  FakeDevice device;
  OperandStore store{device};

  CaseSetup setup(int64_t n, CacheState cache) { return {make_case(op, FakeStep{n}), &kernel, cache, 1}; }
};

constexpr int64_t kElements = 4096;
/// w is read, half of c is read, half of it written.
constexpr double kStreamedBytes = 3.0 * 4 * kElements;
constexpr int kX = 0, kW = 1, kC = 2, kY = 3;

SamplingOptions few() { return {.warmups = 3, .repetitions = 50, .min_sample_ms = 0.1, .max_total_ms = 1e9}; }

TEST(Serving, ABufferComesBackOnlyAfterMoreThanTheCache) {
  Bench bench;
  PreparedCase prepared(bench.setup(kElements, CacheState::serving), bench.device, bench.store);
  const Samples first = prepared.sample(few());
  prepared.sample(few());
  const auto least_launches = size_t(kStreamOverCache * bench.device.description.llc_bytes / kStreamedBytes);
  EXPECT_GT(first.bytes_touched, kStreamOverCache * bench.device.description.llc_bytes);
  ASSERT_GT(bench.log.launches.size(), 4 * least_launches);  // enough to come back several times
  for (const int operand : {kW, kC}) {
    std::map<float*, size_t> last_use;
    for (size_t i = 0; i < bench.log.launches.size(); ++i) {
      float* const p = bench.log.launches[i][size_t(operand)];
      if (last_use.contains(p)) {
        EXPECT_GE(i - last_use[p], least_launches);
      }
      last_use[p] = i;
    }
    EXPECT_GT(last_use.size(), least_launches);
  }
}

TEST(Serving, ActivationsAndOutputsStayWhereTheyAre) {
  Bench bench;
  PreparedCase prepared(bench.setup(kElements, CacheState::serving), bench.device, bench.store);
  prepared.sample(few());
  std::set<float*> xs, ys;
  for (const auto& launch : bench.log.launches) {
    xs.insert(launch[kX]);
    ys.insert(launch[kY]);
  }
  EXPECT_EQ(xs.size(), 1u);
  EXPECT_EQ(ys.size(), 1u);
}

TEST(Serving, TheNextCaseStartsWhereTheLastOneStopped) {
  Bench bench;
  const auto used = [&](int64_t n) {
    bench.log.launches.clear();
    PreparedCase prepared(bench.setup(n, CacheState::serving), bench.device, bench.store);
    prepared.sample({.warmups = 1, .repetitions = 1, .min_sample_ms = 0, .max_total_ms = 1e9});
    std::set<char*> pages;
    for (const auto& launch : bench.log.launches) pages.insert(reinterpret_cast<char*>(launch[kW]));
    return pages;
  };
  const std::set<char*> first = used(kElements), second = used(kElements / 2);
  for (char* const p : second)
    for (char* const q : first)
      EXPECT_FALSE(p >= q && p < q + 4 * kElements) << "a warm slice was used again";
}

TEST(Serving, NeedsAKnownCacheSize) {
  Bench bench;
  bench.device.description.llc_bytes = 0;
  EXPECT_THROW(PreparedCase(bench.setup(kElements, CacheState::serving), bench.device, bench.store), Error);
  EXPECT_NO_THROW(PreparedCase(bench.setup(kElements, CacheState::hot), bench.device, bench.store));
}

TEST(Serving, AGraphIsMadeLongEnoughForAWholeRotation) {
  Bench bench;
  bench.device.mode = LaunchMode::graph;
  PreparedCase prepared(bench.setup(kElements, CacheState::serving), bench.device, bench.store);
  const Samples samples =
      prepared.sample({.warmups = 1, .repetitions = 2, .min_sample_ms = 0, .max_total_ms = 1e9});
  EXPECT_GE(samples.launches_per_sample * kStreamedBytes,
            kStreamOverCache * bench.device.description.llc_bytes);
  EXPECT_GE(samples.bytes_touched, kStreamOverCache * bench.device.description.llc_bytes);
  EXPECT_EQ(samples.launch, LaunchMode::graph);
}

TEST(Serving, ACacheThatIsHardlyTouchedIsEvictedInsteadOfCopiedTooOften) {
  Bench bench;
  const CaseSetup setup{make_case(bench.op, FakeStep{kElements, 1000}), &bench.kernel, CacheState::serving,
                        1};
  PreparedCase prepared(setup, bench.device, bench.store);
  const Samples samples =
      prepared.sample({.warmups = 0, .repetitions = 5, .min_sample_ms = 1, .max_total_ms = 1e9});
  EXPECT_EQ(bench.device.evictions, 5 + 1);  // the one is the estimate of the launch time
  EXPECT_GE(samples.bytes_touched, kStreamOverCache * bench.device.description.llc_bytes);
  EXPECT_LT(bench.store.bytes(), 10 * setup.what.op->operands(setup.what.values)[kC].bytes());
  const size_t per_sample = size_t(samples.launches_per_sample) + 1;
  for (size_t sample = 0; sample < 5; ++sample) {
    std::set<float*> used;
    for (size_t i = 0; i < per_sample; ++i)
      used.insert(bench.log.launches[bench.log.launches.size() - (sample + 1) * per_sample + i][kC]);
    EXPECT_EQ(used.size(), per_sample);  // nothing is used twice between two evictions
  }
}

TEST(Hot, EveryLaunchUsesTheSameBuffers) {
  Bench bench;
  PreparedCase prepared(bench.setup(kElements, CacheState::hot), bench.device, bench.store);
  const Samples samples = prepared.sample(few());
  for (const auto& launch : bench.log.launches) EXPECT_EQ(launch, bench.log.launches[0]);
  EXPECT_EQ(samples.bytes_touched, 5.0 * 4 * kElements);
  EXPECT_EQ(samples.cache, CacheState::hot);
}

TEST(Cold, EveryLaunchIsTimedByItself) {
  Bench bench;
  PreparedCase prepared(bench.setup(kElements, CacheState::cold), bench.device, bench.store);
  EXPECT_EQ(prepared.sample(few()).launches_per_sample, 1);
}

TEST(Sampling, ShortLaunchesAreBatchedToTheLeastSampleTime) {
  Bench bench;
  PreparedCase prepared(bench.setup(8, CacheState::hot), bench.device, bench.store);
  const Samples samples = prepared.sample(few());
  EXPECT_EQ(samples.launches_per_sample, 10);
  EXPECT_EQ(samples.latency_ms.size(), 50u);
  for (const double ms : samples.latency_ms) EXPECT_NEAR(ms, 0.01, 1e-12);
}

TEST(Sampling, WhatSurroundsLaunchesIsASmallPartOfASample) {
  Bench bench;
  bench.device.launch_ms = 0.002;
  bench.device.launch_cost = 0.006;
  PreparedCase prepared(bench.setup(kElements, CacheState::hot), bench.device, bench.store);
  const Samples samples = prepared.sample(few());
  EXPECT_NEAR(samples.latency_ms.front(), bench.device.launch_ms, 0.05 * bench.device.launch_ms * 1.001);
}

TEST(Sampling, TakesOneSampleHoweverLittleTimeThereIs) {
  Bench bench;
  PreparedCase prepared(bench.setup(8, CacheState::serving), bench.device, bench.store);
  EXPECT_EQ(prepared.sample({.warmups = 0, .repetitions = 10, .min_sample_ms = 0, .max_total_ms = 0})
                .latency_ms.size(),
            1u);
}

TEST(Sampling, TheSameCaseAgainNeedsNoWarmUp) {
  Bench bench;
  PreparedCase prepared(bench.setup(8, CacheState::hot), bench.device, bench.store);
  prepared.sample(few());
  bench.log.launches.clear();
  prepared.sample({.warmups = 0, .repetitions = 1, .min_sample_ms = 0, .max_total_ms = 1e9});
  EXPECT_EQ(bench.log.launches.size(), 1u);
}

TEST(Energy, IsAbsentUnlessItsWindowHoldsOnlyTheSamples) {
  Bench bench;
  bench.device.energy_mj = 100;
  PreparedCase hot(bench.setup(8, CacheState::hot), bench.device, bench.store);
  EXPECT_FALSE(hot.sample(few()).before.energy_mj);
  SamplingOptions with_energy = few();
  with_energy.measure_energy = true;
  with_energy.min_sample_ms = 1;
  const Samples samples = hot.sample(with_energy);
  ASSERT_TRUE(samples.before.energy_mj && samples.after.energy_mj);
  EXPECT_GT(samples.latency_ms.size(), 50u);  // scripted launches take no real time, the window does
  PreparedCase cold(bench.setup(8, CacheState::cold), bench.device, bench.store);
  EXPECT_FALSE(cold.sample(with_energy).after.energy_mj);
}

TEST(Memory, ACaseThatCannotFitIsRefusedBeforeAnythingIsAllocated) {
  Bench bench;
  bench.device.description.memory_bytes = 4e6;
  try {
    PreparedCase prepared(bench.setup(1'000'000, CacheState::hot), bench.device, bench.store);
    FAIL();
  } catch (const OutOfMemory& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("needs 0.02 GiB"), text.npos) << text;
    EXPECT_NE(text.find("fake_step n=1000000"), text.npos) << text;
  }
  EXPECT_EQ(bench.device.allocations, 0);
}

TEST(Memory, ServingCountsItsCopies) {
  const OpType op = make_op_type<FakeStep>();
  const Case what = make_case(op, FakeStep{kElements});
  EXPECT_EQ(estimate_bytes(what, CacheState::hot, 1e6), 5.0 * 4 * kElements);
  EXPECT_GT(estimate_bytes(what, CacheState::serving, 1e6), 1.25e6);
  EXPECT_GT(estimate_bytes(what, CacheState::cold, 1e6), 1.25e6);
}

TEST(Memory, ArenasAreKeptFromCaseToCase) {
  Bench bench;
  { PreparedCase prepared(bench.setup(kElements, CacheState::serving), bench.device, bench.store); }
  const int allocations = bench.device.allocations;
  { PreparedCase prepared(bench.setup(kElements / 4, CacheState::serving), bench.device, bench.store); }
  EXPECT_EQ(bench.device.allocations, allocations);
}

TEST(Content, IsNeverZeroNorSubnormal) {
  Bench bench;
  PreparedCase prepared(bench.setup(kElements, CacheState::serving), bench.device, bench.store);
  prepared.sample(few());
  for (const auto& launch : bench.log.launches)
    for (int64_t i = 0; i < kElements; ++i) {
      ASSERT_TRUE(std::isnormal(launch[kW][i]));
      ASSERT_TRUE(std::isfinite(launch[kY][i]));
    }
}

}  // namespace
}  // namespace perfatlas
