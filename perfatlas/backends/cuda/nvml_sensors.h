// SPDX-License-Identifier: Apache-2.0
// Clock, temperature, power, energy and throttle reasons of one GPU, through NVML.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "perfatlas/backends/cuda/dynamic_library.h"
#include "perfatlas/backends/cuda/runtime.h"
#include "perfatlas/measure/sample.h"

namespace perfatlas {

/// The sensors of one device. NVML counts every GPU of the machine in its own order, CUDA those that
/// CUDA_VISIBLE_DEVICES leaves, so the device is found by UUID, else by PCI bus id, never by index; a device that
/// NVML then calls by another UUID is refused. Nothing here throws: what is unknown is absent.
class NvmlSensors {
 public:
  NvmlSensors(const LibrarySearch& search, const CudaProperties& device);
  ~NvmlSensors();
  NvmlSensors(NvmlSensors&&) noexcept;
  NvmlSensors& operator=(NvmlSensors&&) = delete;

  /// Why there are no sensors; empty when there are.
  const std::string& reason() const;
  /// The NVML file that was opened; empty when none was.
  const std::string& library_path() const;
  /// "580.159.04".
  std::optional<std::string> driver_version() const;

  /// SM clock; GPU temperature; instantaneous power (where the driver has no such field: its one-second average);
  /// enforced power limit; total energy since the driver was loaded; the reasons that hold clocks down. Idling and
  /// clocks that somebody set are no throttling.
  SensorReading read() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// NVML's energy counter moves every 20 to 100 ms, depending on the part: thirty of its steps.
inline constexpr double kEnergyWindowMs = 3000;

/// Mean power of the devices over `window_ms`, during which the caller sleeps; nothing where an energy counter is
/// missing or stands still.
std::optional<double> mean_power_w(std::span<const NvmlSensors> devices, double window_ms);

/// NVML's bit set as text, "power cap, thermal slowdown (hardware)"; empty when nothing throttles. A bit without a
/// name is written as a hexadecimal number.
std::string throttle_text(unsigned long long reasons);

}  // namespace perfatlas
