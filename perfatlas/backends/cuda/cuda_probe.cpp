// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_probe.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "perfatlas/backends/harness_peaks.h"
#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

using Peak = MeasuredPeaks::Peak;

constexpr size_t kMiB = size_t(1) << 20;
constexpr size_t kLeastStreamed = size_t(1) << 30;
constexpr double kSampleMs = 1;
constexpr size_t kFewestSamples = 10, kMostSamples = 200;
constexpr uint64_t kSeed = 1;

/// Reads one buffer from end to end.
class ReadKernel final : public PreparedKernel {
 public:
  ReadKernel(CudaRuntime& runtime, size_t bytes) : runtime_(runtime), bytes_(bytes) {}
  size_t workspace_bytes() const override { return sizeof(uint32_t); }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    runtime_.read(operands[0], bytes_, workspace, stream);
  }

 private:
  CudaRuntime& runtime_;
  size_t bytes_;
};

/// Device memory full of seeded random elements: one block, repeated.
std::shared_ptr<void> random_memory(CudaDevice& device, size_t bytes) {
  const std::vector<std::byte> content =
      random_elements(DType::bf16, std::min(bytes, kMiB) * 8 / size_t(bits_of(DType::bf16)), kSeed);
  std::shared_ptr<void> memory = device.allocate(bytes);
  auto* to = static_cast<char*>(memory.get());
  device.copy_in(to, content.data(), content.size());
  for (size_t filled = content.size(); filled < bytes;) {
    const size_t step = std::min(filled, bytes - filled);
    device.copy(to + filled, to, step);
    filled += step;
  }
  return memory;
}

Peak measure_read(CudaDevice& device, size_t bytes, double budget_s) {
  ReadKernel kernel(device.runtime(), bytes);
  const std::shared_ptr<void> data = random_memory(device, bytes);
  const std::shared_ptr<void> sink = device.allocate(kernel.workspace_bytes());
  BatchRequest request{.kernel = &kernel, .operand_sets = {{data.get()}}, .workspace = sink.get()};
  request.cache = CacheState::hot;
  const double first_ms = std::max(device.make_batch(request)->run_ms(), 1e-3);
  request.launches = int(std::clamp(std::ceil(kSampleMs / first_ms), 1.0, 1000.0));
  const std::unique_ptr<TimedBatch> batch = device.make_batch(request);
  batch->run_ms();
  std::vector<double> rates;
  const auto start = std::chrono::steady_clock::now();
  const auto time_left = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < budget_s;
  };
  while (rates.size() < kFewestSamples || (rates.size() < kMostSamples && time_left()))
    rates.push_back(double(bytes) * request.launches / (batch->run_ms() * 1e-3));
  return peak_of_rates(std::move(rates));
}

/// Nothing where the buffer does not fit: a smaller one would measure something else.
std::optional<Peak> read_peak(CudaDevice& device, size_t bytes, double budget_s) {
  try {
    return measure_read(device, bytes, budget_s);
  } catch (const OutOfMemory&) {
    return std::nullopt;
  }
}

}  // namespace

MeasuredPeaks measure_cuda_peaks(CudaDevice& device, const OpRegistry& ops, const KernelRegistry& kernels,
                                 double budget_s) {
  const auto l2 = size_t(device.info().llc_bytes);
  const size_t streamed = std::max(kLeastStreamed, (5 * l2 + kMiB - 1) / kMiB * kMiB);
  MeasuredPeaks peaks;
  peaks.memory_bandwidth = read_peak(device, streamed, budget_s / 8);
  if (l2 >= 4 * kMiB) peaks.llc_bandwidth = read_peak(device, l2 / 4 / kMiB * kMiB, budget_s / 8);
  peaks.flops = measure_gemm_peaks(device, ops, kernels, budget_s * 3 / 4);
  return peaks;
}

}  // namespace perfatlas
