// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_peaks.h"

#include <algorithm>
#include <chrono>

#include "perfatlas/backends/cpu/memory_stream.h"
#include "perfatlas/backends/harness_peaks.h"

namespace perfatlas {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kOverCache = 4.05;
constexpr size_t kMiB = size_t(1) << 20;
constexpr int kFewestSamples = 6;  // an order-statistic interval needs as many (measure/statistics.h)
constexpr double kPatience = 3;    // budgets to wait for them on a slow or busy machine
constexpr int kMostSamples = 100;
constexpr double kSmallSampleBytes = 256.0 * 1024 * 1024;  // small buffers are read several times per sample

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Bytes/s of reading `memory` again and again for about `budget_s`.
std::vector<double> read_rates(const void* memory, size_t bytes, double budget_s) {
  const int passes = std::max(1, int(kSmallSampleBytes / double(bytes)));
  uint64_t seen = read_all(memory, bytes, 1);
  std::vector<double> rates;
  const auto begin = Clock::now();
  const auto go_on = [&] {
    const int taken = int(rates.size());
    const double elapsed_s = seconds_since(begin);
    if (taken < kFewestSamples) return taken < 2 || elapsed_s < kPatience * budget_s;
    return taken < kMostSamples && elapsed_s < budget_s;
  };
  while (go_on()) {
    const auto start = Clock::now();
    seen ^= read_all(memory, bytes, passes);
    rates.push_back(double(passes) * double(bytes) / seconds_since(start));
  }
  // The sum must be used, or the compiler may drop the reads; no sum makes a rate invalid.
  if (seen == 0x5bd1e995) rates.front() = rates.back();
  return rates;
}

MeasuredPeaks::Peak cache_peak(const void* memory, size_t smallest, size_t largest, double budget_s) {
  MeasuredPeaks::Peak best;
  for (size_t bytes = smallest; bytes <= std::max(smallest, largest); bytes *= 4) {
    const MeasuredPeaks::Peak peak = peak_of_rates(read_rates(memory, bytes, budget_s / 4));
    if (peak.value > best.value) best = peak;
  }
  return best;
}

}  // namespace

ReadBandwidths measure_read_bandwidths(CpuDevice& device, double llc_bytes, double budget_s) {
  const size_t smallest = kMiB * size_t(device.threads());
  const size_t bytes = std::max(smallest, size_t(kOverCache * llc_bytes) / kMiB * kMiB + kMiB);
  const std::shared_ptr<void> memory = device.allocate(bytes);
  write_all(memory.get(), bytes);
  return {peak_of_rates(read_rates(memory.get(), bytes, budget_s / 2)),
          cache_peak(memory.get(), smallest, size_t(llc_bytes / 4) / kMiB * kMiB, budget_s / 2)};
}

MeasuredPeaks measure_cpu_peaks(CpuDevice& device, const OpRegistry& ops, const KernelRegistry& kernels,
                                double budget_s) {
  MeasuredPeaks peaks;
  if (device.info().llc_bytes > 0) {
    try {
      const ReadBandwidths rates = measure_read_bandwidths(device, device.info().llc_bytes, budget_s / 2);
      peaks.memory_bandwidth = rates.memory;
      peaks.llc_bandwidth = rates.caches;
    } catch (const OutOfMemory&) {
      // Unknown is absent.
    }
  }
  peaks.flops = measure_gemm_peaks(device, ops, kernels, budget_s / 2);
  return peaks;
}

}  // namespace perfatlas
