// SPDX-License-Identifier: Apache-2.0
// One NVIDIA GPU.
#pragma once

#include <memory>
#include <string>

#include "perfatlas/backends/cuda/cublas.h"
#include "perfatlas/backends/cuda/cublaslt.h"
#include "perfatlas/backends/cuda/cuda_batch.h"
#include "perfatlas/backends/cuda/cudnn_library.h"
#include "perfatlas/backends/cuda/cupti_trace.h"
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

  /// llc_bytes is the L2. versions: cuda (that of the kernel set, which is cuBLASLt's), cublaslt and cublaslt_file,
  /// cublas and cublas_file, cudnn and cudnn_file, cudart, driver_cuda, driver and nvml_file, device_uuid, sm; what was
  /// not found is absent.
  const DeviceInfo& info() const override { return info_; }

  std::shared_ptr<void> allocate(size_t bytes) override;
  void copy_in(void* device, const void* host, size_t bytes) override;
  void copy_out(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;

  Stream stream() override { return stream_; }
  void synchronize() override { runtime_->synchronize(stream_); }
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override;
  /// The clock is that which the samples since the last reading saw (ClockMeter), or NVML's where there was none.
  SensorReading read_sensors() override;
  /// That clock alone; forgets the samples.
  std::optional<double> take_clock_mhz() { return clock_.take_mhz(); }
  void begin_range(const std::string& name) override { runtime_->begin_range(name); }
  void end_range() override { runtime_->end_range(); }
  /// From here on every case says which kernels really ran, when CUPTI is found.
  void trace_kernels(const LibrarySearch& search) { cupti_ = std::make_unique<CuptiTrace>(search); }
  bool traces_kernels() const override { return cupti_ != nullptr && cupti_->reason().empty(); }
  std::string kernels_run_by(const std::function<void()>& work) override;
  /// Why traces_kernels() is false although it was asked for; empty otherwise.
  std::string cupti_reason() const { return cupti_ == nullptr ? "" : cupti_->reason(); }

  double energy_window_ms() const override { return energy_window_ms_; }
  /// For tests, whose counters move as fast as they like.
  void set_energy_window_ms(double ms) { energy_window_ms_ = ms; }
  std::optional<double> idle_power_w() override;
  /// Twenty times the fixed cost of launching a graph, once that is measured; before: nothing is asked.
  double least_sample_ms() const override { return least_sample_ms_; }
  /// Measures what launching costs here, takes least_sample_ms() from it and adds graph_launch_us, graph_node_us and
  /// eager_launch_us to info().versions. Takes some milliseconds of device time.
  void measure_launching();
  bool lost() override { return runtime_->lost(); }
  /// Every back-to-back repetition of batches made from here on begins behind what this enqueues (CudaBatchContext).
  void start_together(std::function<void(Stream)> rendezvous) { rendezvous_ = std::move(rendezvous); }

  /// 10 * major + minor of the compute capability: 90 for Hopper.
  int sm_version() const { return properties_.sm_version; }
  const CublasLt& cublaslt() const { return cublaslt_; }
  const Cublas& cublas() const { return cublas_; }
  Cublas& cublas() { return cublas_; }
  const CudnnLibrary& cudnn() const { return cudnn_; }
  /// Why read_sensors() is empty; empty when it is not.
  const std::string& sensors_reason() const { return sensors_.reason(); }
  CudaRuntime& runtime() { return *runtime_; }
  /// How many algorithms of a heuristic a kernel times before it keeps one; 1: the heuristic's first is taken.
  int tuned_algorithms() const { return tuned_algorithms_; }
  void set_tuned_algorithms(int count) { tuned_algorithms_ = count; }
  /// Where kernels lie that are opened at run time (attention_cuda_xqa_module.h): the folder of the running program.
  const std::string& module_folder() const { return module_folder_; }
  void set_module_folder(std::string folder) { module_folder_ = std::move(folder); }
  /// Adds to info().versions what is compiled into the program.
  void add_version(const std::string& name, std::string_view version) { info_.versions[name] = version; }

 private:
  void describe(const std::string& id);
  /// Runs what stands around every sample once: a kernel is loaded at its first launch, which waits for the device.
  void load_own_kernels();

  std::shared_ptr<CudaRuntime> runtime_;
  CudaProperties properties_;  // from here on the device is current
  CublasLt cublaslt_;
  Cublas cublas_;
  CudnnLibrary cudnn_;
  NvmlSensors sensors_;
  DeviceInfo info_;
  Stream stream_ = nullptr;
  int tuned_algorithms_ = 1;
  std::string module_folder_;
  ClockMeter clock_;
  std::function<void(Stream)> rendezvous_;
  std::unique_ptr<CuptiTrace> cupti_;
  double energy_window_ms_ = kEnergyWindowMs;
  double least_sample_ms_ = 0;
  bool idle_measured_ = false;
  std::optional<double> idle_power_w_;
  std::shared_ptr<void> stamps_;
  std::shared_ptr<void> flush_;  // made for the first cold batch
};

/// The device number of "cuda:3" or "3". Throws UsageError.
int cuda_device_number(const std::string& id);

}  // namespace perfatlas
