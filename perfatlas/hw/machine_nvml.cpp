// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_nvml.h"

#include <fmt/format.h>

#include "perfatlas/hw/machine_nvml_library.h"

namespace perfatlas {
namespace {

// The part of NVML's binary interface used here, as machine_nvml_library.h says.
using Device = NvmlLibrary::Device;
constexpr int kClockSm = 1;  // nvmlClockType_t
struct MemoryInfo {          // nvmlMemory_t
  unsigned long long total, free, used;
};

std::string text_from(const char (&buffer)[96]) {
  const std::string_view text(buffer, sizeof(buffer));
  return std::string(text.substr(0, text.find('\0')));
}

NvmlGpu read_gpu(const NvmlLibrary& nvml, Device device) {
  NvmlGpu gpu;
  char name[96] = {};
  if (nvml.call("nvmlDeviceGetName", device, &name[0], unsigned(sizeof name))) gpu.name = text_from(name);
  MemoryInfo memory{};
  if (nvml.call("nvmlDeviceGetMemoryInfo", device, &memory) && memory.total > 0)
    gpu.memory_bytes = double(memory.total);
  int major = 0, minor = 0;
  if (nvml.call("nvmlDeviceGetCudaComputeCapability", device, &major, &minor) && major > 0)
    gpu.sm_version = major * 10 + minor;
  unsigned value = 0;
  if (nvml.call("nvmlDeviceGetEnforcedPowerLimit", device, &value) && value > 0)
    gpu.power_limit_w = value / 1e3;  // milliwatts
  if (nvml.call("nvmlDeviceGetMaxClockInfo", device, kClockSm, &value) && value > 0)
    gpu.max_clock_mhz = double(value);
  unsigned mode = 0, pending = 0;
  gpu.partitioned = nvml.call("nvmlDeviceGetMigMode", device, &mode, &pending) && mode != 0;
  return gpu;
}

void read_versions(const NvmlLibrary& nvml, NvmlMachine& machine) {
  char driver[96] = {};
  if (nvml.call("nvmlSystemGetDriverVersion", &driver[0], unsigned(sizeof driver)))
    machine.driver_version = text_from(driver);
  int cuda = 0;  // 1000 * major + 10 * minor
  if (nvml.call("nvmlSystemGetCudaDriverVersion_v2", &cuda) && cuda > 0)
    machine.cuda_version = fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10);
}

void read_gpus(const NvmlLibrary& nvml, NvmlMachine& machine) {
  unsigned number = 0;
  nvml.call("nvmlDeviceGetCount_v2", &number);
  for (unsigned i = 0; i < number; ++i) {
    Device device = nullptr;
    NvmlGpu gpu;
    if (nvml.call("nvmlDeviceGetHandleByIndex_v2", i, &device)) gpu = read_gpu(nvml, device);
    if (gpu.name.empty())
      machine.notes.push_back(fmt::format("GPU {}: the driver does not answer for it; see nvidia-smi", i));
    else
      machine.gpus.push_back(std::move(gpu));
  }
  if (number == 0) machine.notes.push_back("no GPUs: the NVIDIA driver is installed but sees none");
}

}  // namespace

NvmlMachine read_nvml(const std::string& library) {
  NvmlMachine machine;
  const NvmlLibrary nvml(library);
  if (!nvml) {
    machine.notes.push_back(
        fmt::format("no GPUs: {} was not found (it comes with the NVIDIA driver)", library));
  } else if (!nvml.call("nvmlInit_v2")) {
    machine.notes.push_back(fmt::format("no GPUs: {} does not start; is the driver loaded?", library));
  } else {
    read_versions(nvml, machine);
    read_gpus(nvml, machine);
    nvml.call("nvmlShutdown");
  }
  return machine;
}

}  // namespace perfatlas
