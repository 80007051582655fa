// SPDX-License-Identifier: Apache-2.0
// One NVIDIA GPU.
#pragma once

#include <memory>
#include <string>

#include "perfatlas/backends/cuda/cublaslt.h"
#include "perfatlas/backends/cuda/dynamic_library.h"
#include "perfatlas/backends/cuda/nvml_sensors.h"
#include "perfatlas/backends/cuda/runtime.h"
#include "perfatlas/backends/device.h"

namespace perfatlas {

class CudaDevice final : public Device {
 public:
  /// `id` is "cuda:0" or "0", counted as CUDA counts (CUDA_VISIBLE_DEVICES applies). Libraries are looked for once,
  /// here. Throws UsageError when `id` is malformed or there is no such device, Error when there is no usable
  /// driver. REQUIRES: one CudaDevice per process, since the device is made current for the calling thread.
  CudaDevice(std::shared_ptr<CudaRuntime> runtime, const std::string& id, const LibrarySearch& search);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  /// llc_bytes is the L2. versions: cuda (that of the kernel set, which is cuBLASLt's), cublaslt and cublaslt_file, cudart,
  /// driver_cuda, driver and nvml_file, device_uuid, sm; what was not found is absent.
  const DeviceInfo& info() const override { return info_; }

  std::shared_ptr<void> allocate(size_t bytes) override;
  void copy_in(void* device, const void* host, size_t bytes) override;
  void copy_out(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;

  Stream stream() override { return stream_; }
  void synchronize() override { runtime_->synchronize(stream_); }
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override;
  SensorReading read_sensors() override { return sensors_.read(); }
  bool lost() override { return runtime_->lost(); }

  /// 10 * major + minor of the compute capability: 90 for Hopper.
  int sm_version() const { return properties_.sm_version; }
  const CublasLt& cublaslt() const { return cublaslt_; }
  /// Why read_sensors() is empty; empty when it is not.
  const std::string& sensors_reason() const { return sensors_.reason(); }
  CudaRuntime& runtime() { return *runtime_; }

 private:
  void describe(const std::string& id);

  std::shared_ptr<CudaRuntime> runtime_;
  CudaProperties properties_;  // from here on the device is current
  CublasLt cublaslt_;
  NvmlSensors sensors_;
  DeviceInfo info_;
  Stream stream_ = nullptr;
  std::shared_ptr<void> flush_;  // made for the first cold batch
};

/// The device number of "cuda:3" or "3". Throws UsageError.
int cuda_device_number(const std::string& id);

}  // namespace perfatlas
