// SPDX-License-Identifier: Apache-2.0
// Needs a GPU (label cuda). Prints the figures it saw, so that a run on new hardware leaves something to judge.
#include <cuda_runtime_api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_probe.h"
#include "perfatlas/backends/cuda/launch_overhead.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
/// The one op whose kernels are tested here; those of the others by `perfatlas check`.
void add_gemm_cuda_kernels(KernelRegistry& registry);

namespace {

class Hardware : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    device_ = new CudaDevice(make_cuda_runtime(), "cuda:0", library_search());
    for (const auto& [name, text] : device_->info().versions) fmt::print("{} = {}\n", name, text);
  }
  static void TearDownTestSuite() {
    delete device_;
    device_ = nullptr;
  }
  static CudaDevice& device() { return *device_; }

 private:
  static CudaDevice* device_;
};
CudaDevice* Hardware::device_ = nullptr;

/// A case of gemm with operands on the device.
struct GemmOnDevice {
  GemmOnDevice(CudaDevice& gpu, const Gemm& gemm) : device(gpu), what(gemm) {
    add_gemm_cuda_kernels(registry);
    for (const KernelEntry* entry : registry.of("gemm", "cuda")) {
      reason = entry->why_unsupported(encode(gemm), device);
      if (!reason.empty()) continue;
      prepared = entry->prepare(encode(gemm), device);
      break;
    }
    if (prepared == nullptr) return;
    for (const Operand& operand : gemm.operands()) {
      host.push_back(make_host_operand(operand, 3));
      const std::vector<std::byte> bytes = operand_bytes_of(host.back());
      memory.push_back(device.allocate(bytes.size()));
      device.copy_in(memory.back().get(), bytes.data(), bytes.size());
      operands.push_back(memory.back().get());
    }
    workspace = device.allocate(prepared->workspace_bytes());
  }

  double error() {
    prepared->launch(device.stream(), operands, workspace.get());
    std::vector<std::byte> result(size_t(host[2].declared.bytes()));
    device.copy_out(result.data(), operands[2], result.size());
    what.reference(host);
    const std::vector<float> got = decode_elements(host[2].declared.dtype, result);
    double distance = 0, norm = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      distance += std::pow(double(got[i]) - double(host[2].values[i]), 2);
      norm += std::pow(double(host[2].values[i]), 2);
    }
    return std::sqrt(distance / norm);
  }

  CudaDevice& device;
  Gemm what;
  KernelRegistry registry;
  std::string reason;
  std::unique_ptr<PreparedKernel> prepared;
  std::vector<HostOperand> host;
  std::vector<std::shared_ptr<void>> memory;
  std::vector<void*> operands;
  std::shared_ptr<void> workspace;
};

TEST_F(Hardware, EveryGemmTypeEqualsTheReference) {
  for (const Quant quant : {Quant::f32, Quant::tf32, Quant::f16, Quant::bf16, Quant::fp8, Quant::fp8_rowwise,
                            Quant::fp8_block, Quant::mxfp8, Quant::nvfp4, Quant::int8})
    for (const Gemm& shape :
         {Gemm{quant, 1, 256, 512}, Gemm{quant, 33, 512, 256}, Gemm{quant, 128, 128, 1024}}) {
      GemmOnDevice gemm(device(), shape);
      if (gemm.prepared == nullptr) {
        fmt::print("{}: {}\n", name_of(quant), gemm.reason);
        continue;
      }
      const double error = gemm.error();
      fmt::print("{} m={} n={} k={}: relative error {:.2e}\n", name_of(quant), shape.m, shape.n, shape.k,
                 error);
      EXPECT_LT(error, quant == Quant::f32 ? 1e-5 : 1e-2);
    }
}

TEST_F(Hardware, EveryCacheStateRunsFromAGraph) {
  GemmOnDevice gemm(device(), {Quant::bf16, 16, 4096, 4096});
  ASSERT_NE(gemm.prepared, nullptr) << gemm.reason;
  for (const CacheState cache : {CacheState::hot, CacheState::serving, CacheState::cold}) {
    BatchRequest request{
        .kernel = gemm.prepared.get(), .workspace = gemm.workspace.get(), .launches = 20, .cache = cache};
    std::vector<std::shared_ptr<void>> copies;
    for (int i = 0; i < (cache == CacheState::serving ? 8 : 1); ++i) {
      copies.push_back(device().allocate(size_t(gemm.host[1].declared.bytes())));
      device().copy(copies.back().get(), gemm.operands[1], size_t(gemm.host[1].declared.bytes()));
      request.operand_sets.push_back({gemm.operands[0], copies.back().get(), gemm.operands[2]});
    }
    const auto batch = device().make_batch(request);
    EXPECT_EQ(batch->mode(), LaunchMode::graph) << batch->note();
    batch->run_ms();
    double best_ms = INFINITY;
    for (int i = 0; i < 10; ++i) best_ms = std::min(best_ms, batch->run_ms());
    EXPECT_GT(best_ms, 0);
    fmt::print("bf16 m=16 n=4096 k=4096 {}: {:.2f} us per launch\n", name_of(cache), best_ms * 1000 / 20);
  }
}

TEST_F(Hardware, SensorsBelongToThisDevice) {
  const SensorReading reading = device().read_sensors();
  EXPECT_EQ(device().sensors_reason(), "");
  ASSERT_TRUE(reading.clock_mhz && reading.temperature_c && reading.power_w);
  fmt::print("clock {} MHz, {} C, {} W, energy {}, throttle '{}'\n", *reading.clock_mhz,
             *reading.temperature_c, *reading.power_w,
             reading.energy_mj ? fmt::format("{:.0f} mJ", *reading.energy_mj) : "unknown",
             reading.throttle.value_or("unknown"));
}

TEST_F(Hardware, LaunchOverheadIsMicroseconds) {
  const LaunchOverhead overhead = measure_launch_overhead(device().runtime(), device().stream());
  fmt::print("launch overhead: graph {:.2f} us + {:.2f} us per node, eager {:.2f} us per launch\n",
             overhead.graph_us, overhead.node_us, overhead.eager_us);
  EXPECT_GT(overhead.node_us, 0);
  EXPECT_LT(overhead.node_us, 100);
}

TEST_F(Hardware, PeaksAreMeasured) {
  KernelRegistry kernels;
  add_gemm_cuda_kernels(kernels);
  const MeasuredPeaks peaks = measure_cuda_peaks(device(), all_ops(), kernels, 10);
  ASSERT_TRUE(peaks.memory_bandwidth);
  fmt::print("memory {:.0f} GB/s\n", peaks.memory_bandwidth->value * 1e-9);
  if (peaks.llc_bandwidth) fmt::print("L2 {:.0f} GB/s\n", peaks.llc_bandwidth->value * 1e-9);
  for (const auto& [dtype, peak] : peaks.flops)
    fmt::print("{} {:.1f} TFLOP/s +- {:.1f} %\n", name_of(dtype), peak.value * 1e-12, peak.rel_ci95 * 100);
}

TEST_F(Hardware, OutOfMemoryLeavesTheDeviceUsable) {
  EXPECT_THROW(device().allocate(size_t(1) << 50), OutOfMemory);
  EXPECT_FALSE(device().lost());
  EXPECT_NE(device().allocate(1024), nullptr);
}

TEST(LostContext, IsRecognised) {
  // In a child process: a context that faulted cannot be mended.
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // CUDA does not survive fork
  EXPECT_EXIT(
      {
        CudaDevice device(make_cuda_runtime(), "cuda:0", LibrarySearch{});
        device.runtime().read(reinterpret_cast<const void*>(16), 16 << 10, nullptr, device.stream());
        try {
          device.synchronize();
        } catch (const CudaError& error) {
          std::exit(is_fatal(error.code()) && device.lost() ? 42 : 1);
        }
        std::exit(2);
      },
      testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace perfatlas
