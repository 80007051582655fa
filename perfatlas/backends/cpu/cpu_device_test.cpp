// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_device.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <sched.h>

#include <cstring>
#include <numeric>
#include <set>

#include "perfatlas/backends/cpu/core_set.h"
#include "perfatlas/backends/cpu/cpu_kernels.h"
#include "perfatlas/backends/cpu/cpu_peaks.h"
#include "perfatlas/backends/cpu/memory_stream.h"
#include "perfatlas/backends/harness_peaks.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

TEST(CpuDevice, EveryThreadRunsOnItsOwnCore) {
  CpuDevice device("");
  std::vector<int> cores(size_t(device.threads()), -1);
#pragma omp parallel
  cores[size_t(omp_get_thread_num())] = ::sched_getcpu();
  EXPECT_EQ(std::set<int>(cores.begin(), cores.end()).size(), cores.size());
  EXPECT_EQ(device.info().id, core_set_text(cores));
}

TEST(CpuDevice, GivesTheCoresBack) {
  const std::vector<int> before = allowed_cores();
  { CpuDevice device(std::to_string(before[0])); }
  EXPECT_EQ(allowed_cores(), before);
}

TEST(CpuDevice, OneCoreIsOneThread) {
  CpuDevice device(std::to_string(allowed_cores()[0]));
  EXPECT_EQ(device.threads(), 1);
  int threads = 0;
#pragma omp parallel reduction(+ : threads)
  threads += 1;
  EXPECT_EQ(threads, 1);
}

TEST(CpuDevice, ACoreThatIsNotThereIsAUsageError) { EXPECT_THROW(CpuDevice("1023"), UsageError); }

TEST(CpuDevice, TellsItsNameMemoryAndVersions) {
  CpuDevice device("");
  EXPECT_FALSE(device.info().name.empty());
  EXPECT_GT(device.info().memory_bytes, 64e6);
  EXPECT_TRUE(device.info().versions.contains("onednn"));
}

TEST(CpuDevice, AnAllocationThatDoesNotFitIsRefused) {
  CpuDevice device("");
  EXPECT_THROW(device.allocate(size_t(device.info().memory_bytes * 4)), OutOfMemory);
}

TEST(CpuDevice, LargeCopiesArriveWhole) {
  CpuDevice device("");
  std::vector<char> from(5'000'001);
  for (size_t i = 0; i < from.size(); ++i) from[i] = char(i * 31 >> 3);
  const auto memory = device.allocate(from.size());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % 256, 0u);
  device.copy_in(memory.get(), from.data(), from.size());
  std::vector<char> back(from.size());
  device.copy_out(back.data(), memory.get(), back.size());
  EXPECT_EQ(from, back);
}

TEST(MemoryStream, ReadsEveryWord) {
  CpuDevice device("");
  constexpr size_t kBytes = 64 * 1001;
  const auto memory = device.allocate(kBytes);
  auto* words = static_cast<uint64_t*>(memory.get());
  std::fill_n(words, kBytes / 8, 0);
  const uint64_t empty = read_all(memory.get(), kBytes);
  for (size_t i = 0; i < kBytes / 8; i += 13) {
    words[i] = 1;
    ASSERT_NE(read_all(memory.get(), kBytes), empty) << "word " << i << " is not read";
    words[i] = 0;
  }
}

/// Counts its launches; otherwise idle.
class CountingKernel final : public PreparedKernel {
 public:
  int launches = 0;
  std::vector<void*> seen;
  void launch(Stream, std::span<void* const> operands, void*) override {
    ++launches;
    seen.push_back(operands[0]);
  }
};

TEST(CpuBatch, GoesOnWithTheNextSetWhereItStopped) {
  CpuDevice device("");
  CountingKernel kernel;
  int a, b, c;
  BatchRequest request{.kernel = &kernel, .operand_sets = {{&a}, {&b}, {&c}}, .launches = 2};
  const auto batch = device.make_batch(request);
  EXPECT_GE(batch->run_ms(), 0);
  batch->run_ms();
  EXPECT_EQ(kernel.seen, (std::vector<void*>{&a, &b, &c, &a}));
  EXPECT_EQ(batch->mode(), LaunchMode::direct);
  EXPECT_EQ(batch->rotation(), 0u);
}

TEST(CpuPeaks, BandwidthsOfASmallCacheAreMeasured) {
  CpuDevice device("");
  const ReadBandwidths rates = measure_read_bandwidths(device, 8 << 20, 0.02);
  EXPECT_GT(rates.memory.value, 1e7);
  EXPECT_GT(rates.caches.value, 1e7);
}

TEST(CpuPeaks, ArithmeticIsMeasuredForTypesWithAKernel) {
  CpuDevice device("");
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_cpu_kernels(kernels);
  const auto flops = measure_gemm_peaks(device, ops, kernels, 0.02);
  ASSERT_TRUE(flops.contains(DType::f32));
  EXPECT_GT(flops.at(DType::f32).value, 1e6);
  EXPECT_FALSE(flops.contains(DType::fp4));
}

}  // namespace
}  // namespace perfatlas
