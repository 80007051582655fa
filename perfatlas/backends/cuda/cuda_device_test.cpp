// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_device.h"

#include <gmock/gmock.h>

#include "perfatlas/backends/cuda/fake_runtime.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

LibrarySearch fakes() { return {{{PERFATLAS_FAKE_LIBRARIES, false}}}; }

TEST(CudaDevice, DescribesItselfAndTheLibrariesItFound) {
  const auto runtime = std::make_shared<FakeRuntime>();
  const CudaDevice device(runtime, "0", fakes());
  EXPECT_EQ(device.info().id, "cuda:0");
  EXPECT_EQ(device.info().name, "Fake GPU");
  EXPECT_EQ(device.info().llc_bytes, 1 << 20);
  const auto& versions = device.info().versions;
  EXPECT_EQ(versions.at("cublaslt"), "13.1.2");
  EXPECT_EQ(versions.at("cuda"), "13.1.2");
  EXPECT_EQ(versions.at("cudnn"), "9.19.2");
  EXPECT_EQ(versions.at("driver"), "580.0.1");
  EXPECT_EQ(versions.at("device_uuid"), "GPU-00000000-0000-0000-0000-00000000000b");
  EXPECT_EQ(versions.at("sm"), "90");
  EXPECT_THAT(versions.at("cublaslt_file"), HasSubstr("libcublasLt.so.13"));
}

TEST(CudaDevice, WorksWithoutAnyVendorLibrary) {
  CudaDevice device(std::make_shared<FakeRuntime>(), "cuda:0", LibrarySearch{});
  EXPECT_FALSE(device.info().versions.contains("cublaslt"));
  EXPECT_THAT(device.cublaslt().reason(), HasSubstr("cuBLASLt was not found"));
  EXPECT_THAT(device.cudnn().reason(), HasSubstr("cuDNN was not found"));
  EXPECT_THAT(device.sensors_reason(), HasSubstr("NVML was not found"));
  EXPECT_FALSE(device.read_sensors().power_w);
}

TEST(CudaDevice, ReadsTheSensorsOfItsOwnDevice) {
  CudaDevice device(std::make_shared<FakeRuntime>(), "cuda:0", fakes());
  EXPECT_EQ(device.read_sensors().clock_mhz, 1980);
}

TEST(CudaDevice, TellsTheClockThatTheSamplesSaw) {
  const auto runtime = std::make_shared<FakeRuntime>();
  CudaDevice device(runtime, "cuda:0", fakes());
  FakeKernel kernel(*runtime);
  BatchRequest request{.kernel = &kernel, .operand_sets = {{}}, .cache = CacheState::hot};
  device.make_batch(request)->run_ms();
  EXPECT_NEAR(device.read_sensors().clock_mhz.value(), 1500, 1);
  EXPECT_EQ(device.read_sensors().clock_mhz, 1980);  // NVML's, since nothing ran
  runtime->stamps_move = true;
  device.make_batch(request)->run_ms();
  EXPECT_EQ(device.read_sensors().clock_mhz, 1980);
}

TEST(CudaDevice, TellsThePowerOfAnIdleDeviceOnlyWhereACounterMoves) {
  const auto idle_w = [] {
    CudaDevice device(std::make_shared<FakeRuntime>(), "cuda:0", fakes());
    device.set_energy_window_ms(1);
    const auto first = device.idle_power_w();
    EXPECT_EQ(device.idle_power_w(), first);  // measured once
    return first;
  };
  EXPECT_EQ(idle_w(), std::nullopt);  // it stands still
  setenv("FAKE_NVML_ENERGY_STEP", "100", 1);
  const auto found = idle_w();
  unsetenv("FAKE_NVML_ENERGY_STEP");
  ASSERT_TRUE(found.has_value());
  EXPECT_GT(*found, 0);
  EXPECT_LE(*found, 100);  // 100 mJ in at least 1 ms
  setenv("FAKE_NVML_NO_ENERGY", "1", 1);
  EXPECT_EQ(idle_w(), std::nullopt);
  unsetenv("FAKE_NVML_NO_ENERGY");
}

TEST(CudaDevice, WantsSamplesOfTwentyGraphLaunches) {
  const auto runtime = std::make_shared<FakeRuntime>();
  runtime->work_ms = 0.002;
  runtime->graph_launch_ms = 0.005;
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  EXPECT_EQ(device.least_sample_ms(), 0);
  device.measure_launching();
  EXPECT_NEAR(device.least_sample_ms(), 20 * 0.005, 1e-9);
  EXPECT_EQ(device.info().versions.at("graph_launch_us"), "5.00");
  EXPECT_EQ(device.info().versions.at("graph_node_us"), "2.00");
  EXPECT_EQ(device.info().versions.at("eager_launch_us"), "2.00");
}

TEST(CudaDevice, SaysWhyADeviceCannotBeUsed) {
  const auto runtime = std::make_shared<FakeRuntime>();
  const auto make = [&] { CudaDevice(runtime, "cuda:0", LibrarySearch{}); };
  runtime->failure = {"select", 1, cudaErrorDevicesUnavailable};
  EXPECT_THAT(make, ThrowsMessage<Error>(HasSubstr("exclusive mode")));
  runtime->failure = {"select", 1, cudaErrorECCUncorrectable};
  EXPECT_THAT(make, ThrowsMessage<Error>(HasSubstr("uncorrectable memory errors")));
  runtime->context_lost = false;
  runtime->properties.sm_version = 61;
  EXPECT_THAT(make, ThrowsMessage<Error>(HasSubstr("capability 6.1; 8.0 is the oldest")));
  runtime->properties.sm_version = 90;
  runtime->used_by_others = runtime->properties.memory_bytes - 1000;
  EXPECT_THAT(make, ThrowsMessage<Error>(HasSubstr("is full: 0.00 of 1.00 GiB are free")));
}

TEST(CudaDevice, CountsOnlyMemoryThatOthersLeave) {
  const auto runtime = std::make_shared<FakeRuntime>();
  runtime->used_by_others = size_t(300) << 20;
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  EXPECT_EQ(device.info().memory_bytes, double(runtime->properties.memory_bytes - runtime->used_by_others));
}

TEST(CudaDevice, SaysWhyThereIsNoDevice) {
  const auto runtime = std::make_shared<FakeRuntime>();
  const auto make = [&](const char* id) {
    return [&runtime, id] { CudaDevice(runtime, id, LibrarySearch{}); };
  };
  EXPECT_THAT(make("cuda:1"), ThrowsMessage<UsageError>(HasSubstr("shows 1 CUDA device, cuda:0")));
  EXPECT_THAT(make("gpu0"), ThrowsMessage<UsageError>(HasSubstr("'gpu0'")));
  EXPECT_THAT(make("cuda:-1"), ThrowsMessage<UsageError>(HasSubstr("write cuda:0")));
  runtime->devices = 0;
  EXPECT_THAT(make("0"), ThrowsMessage<Error>(HasSubstr("CUDA_VISIBLE_DEVICES")));
  runtime->driver_error = cudaErrorInsufficientDriver;
  EXPECT_THAT(make("0"), ThrowsMessage<Error>(HasSubstr("cudaErrorInsufficientDriver")));
}

TEST(CudaDevice, RunsOutOfMemoryAndLivesOn) {
  const auto runtime = std::make_shared<FakeRuntime>();
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  EXPECT_THROW(device.allocate(runtime->properties.memory_bytes + 1), OutOfMemory);
  EXPECT_FALSE(device.lost());
  EXPECT_NE(device.allocate(0), nullptr);
}

TEST(CudaDevice, MemoryMayOutliveTheDevice) {
  const auto runtime = std::make_shared<FakeRuntime>();
  std::shared_ptr<void> memory;
  {
    CudaDevice device(runtime, "cuda:0", LibrarySearch{});
    memory = device.allocate(1000);
  }
  EXPECT_EQ(runtime->live_streams, 0u);
  EXPECT_EQ(runtime->allocated, 1000u);
  memory.reset();
  EXPECT_EQ(runtime->allocated, 0u);
}

TEST(CudaDevice, FlushesMoreThanTwiceTheL2AndAllocatesThatOnce) {
  const auto runtime = std::make_shared<FakeRuntime>();
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  FakeKernel kernel(*runtime);
  BatchRequest request{.kernel = &kernel, .operand_sets = {{}}, .cache = CacheState::hot};
  device.make_batch(request);
  EXPECT_LT(runtime->allocated, 1000u);  // two stamps of the clock
  request.cache = CacheState::cold;
  device.make_batch(request)->run_ms();
  const size_t once = runtime->allocated;
  EXPECT_GT(once, 2 * runtime->properties.l2_bytes);
  device.make_batch(request)->run_ms();
  EXPECT_EQ(runtime->allocated, once);
}

TEST(CudaDevice, SaysWhenItIsLost) {
  const auto runtime = std::make_shared<FakeRuntime>();
  CudaDevice device(runtime, "cuda:0", LibrarySearch{});
  runtime->context_lost = true;
  EXPECT_THAT([&] { device.synchronize(); },
              ThrowsMessage<Error>(HasSubstr("a new worker process is needed")));
  EXPECT_TRUE(device.lost());
}

TEST(CudaError, KeepsTheCallAndTheName) {
  const CudaError error(cudaErrorMemoryAllocation, "cudaMalloc(&memory, bytes)");
  EXPECT_THAT(error.what(), HasSubstr("cudaMalloc failed with cudaErrorMemoryAllocation"));
  EXPECT_FALSE(is_fatal(cudaErrorMemoryAllocation));
  EXPECT_TRUE(is_fatal(cudaErrorIllegalAddress));
}

}  // namespace
}  // namespace perfatlas
