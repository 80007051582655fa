// SPDX-License-Identifier: Apache-2.0
// A set of cores as a device: one pinned OpenMP thread per core, memory on huge pages, steady clock.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "perfatlas/backends/cpu/cpu_isa.h"
#include "perfatlas/backends/cpu/cpu_sensors.h"
#include "perfatlas/backends/cpu/onednn_context.h"
#include "perfatlas/backends/device.h"

namespace perfatlas {

/// Base of devices that run other libraries on the same cores.
class CpuDevice : public Device {
 public:
  /// `cores`: "0-1", "0,2-3"; empty: every core this process may use. Pins the process and its OpenMP threads, one
  /// per core, for its whole life. Throws UsageError when a core is not there. One CpuDevice at a time
  /// per process.
  explicit CpuDevice(std::string_view cores);
  /// Gives the calling thread its cores back.
  ~CpuDevice() override;
  CpuDevice(const CpuDevice&) = delete;
  CpuDevice& operator=(const CpuDevice&) = delete;

  const DeviceInfo& info() const override { return info_; }
  const CpuIsa& isa() const { return isa_; }
  /// Threads of every parallel region, one per core.
  int threads() const { return int(cores_.size()); }
  const OnednnContext& onednn() const { return onednn_; }

  /// On huge pages where the system grants them; content is zero until written. Throws OutOfMemory, also when the
  /// system would grant the address range but has not the memory.
  std::shared_ptr<void> allocate(size_t bytes) override;
  void copy_in(void* device, const void* host, size_t bytes) override { copy(device, host, bytes); }
  void copy_out(void* host, const void* device, size_t bytes) override { copy(host, device, bytes); }
  void copy(void* to, const void* from, size_t bytes) override;

  Stream stream() override { return nullptr; }
  void synchronize() override {}
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override;
  SensorReading read_sensors() override { return sensors_.read(); }

  /// Every core reads its share of a buffer larger than the last-level cache, so that nothing else is left in any
  /// cache. Takes tens of milliseconds. Throws OutOfMemory, or Error when the cache size is unknown.
  void evict_caches();

 protected:
  /// Adds to info().versions.
  void add_version(const std::string& library, std::string version) {
    info_.versions[library] = std::move(version);
  }

 private:
  std::vector<int> allowed_;  // before pinning
  std::vector<int> cores_;
  CpuIsa isa_;  // before onednn_: oneDNN must find the AMX permission granted
  OnednnContext onednn_;
  CpuSensors sensors_;
  DeviceInfo info_;
  std::shared_ptr<void> eviction_;
  size_t eviction_bytes_ = 0;
};

}  // namespace perfatlas
