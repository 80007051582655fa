// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/nvml_sensors.h"

#include <fmt/format.h>
#include <nvml.h>

#include <chrono>
#include <thread>
#include <vector>

#include "perfatlas/backends/cuda/vendor_library.h"

namespace perfatlas {
namespace {

struct Api {
  static LibraryRequest request() {
    return {.name = "NVML",
            .files = {"libnvidia-ml.so.1"},
            .wheel_folders = {},
            .more_folders = {"/usr/local/nvidia", "/usr/lib/wsl/lib"}};
  }
  DynamicLibrary library;
  decltype(nvmlInit_v2)* init = library.require("nvmlInit_v2");
  decltype(nvmlShutdown)* shutdown = library.require("nvmlShutdown");
  decltype(nvmlErrorString)* error_string = library.require("nvmlErrorString");
  decltype(nvmlSystemGetDriverVersion)* driver_version = library.accept("nvmlSystemGetDriverVersion");
  decltype(nvmlDeviceGetHandleByUUID)* by_uuid = library.require("nvmlDeviceGetHandleByUUID");
  decltype(nvmlDeviceGetHandleByPciBusId_v2)* by_bus_id = library.require("nvmlDeviceGetHandleByPciBusId_v2");
  decltype(nvmlDeviceGetUUID)* uuid = library.require("nvmlDeviceGetUUID");
  decltype(nvmlDeviceGetClockInfo)* clock = library.accept("nvmlDeviceGetClockInfo");
  decltype(nvmlDeviceGetTemperature)* temperature = library.accept("nvmlDeviceGetTemperature");
  decltype(nvmlDeviceGetFieldValues)* fields = library.accept("nvmlDeviceGetFieldValues");
  decltype(nvmlDeviceGetPowerUsage)* power = library.accept("nvmlDeviceGetPowerUsage");
  decltype(nvmlDeviceGetEnforcedPowerLimit)* power_limit = library.accept("nvmlDeviceGetEnforcedPowerLimit");
  decltype(nvmlDeviceGetTotalEnergyConsumption)* energy =
      library.accept("nvmlDeviceGetTotalEnergyConsumption");
  decltype(nvmlDeviceGetCurrentClocksEventReasons)* throttle = library.accept(
      "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons");  // before 535
};

constexpr double kPerKilo = 1e-3;  // NVML states power in milliwatts

}  // namespace

struct NvmlSensors::State : VendorLibrary<Api> {
  nvmlDevice_t device{};
  bool initialised = false;

  State(const LibrarySearch& search, const CudaProperties& wanted) : VendorLibrary(search) {
    if (!reason().empty()) return;
    initialised = succeeded(api().init(), "nvmlInit");
    if (initialised) find_device(wanted);
  }
  ~State() {
    if (initialised) api().shutdown();
  }

  bool succeeded(nvmlReturn_t code, const char* call) {
    if (code != NVML_SUCCESS) set_reason(fmt::format("{} failed: {}", call, api().error_string(code)));
    return code == NVML_SUCCESS;
  }

  void find_device(const CudaProperties& wanted) {
    if (api().by_uuid(wanted.uuid.c_str(), &device) == NVML_SUCCESS) return;
    if (!succeeded(api().by_bus_id(wanted.pci_bus_id.c_str(), &device), "nvmlDeviceGetHandleByPciBusId"))
      return;
    char found[NVML_DEVICE_UUID_V2_BUFFER_SIZE] = "";
    if (!succeeded(api().uuid(device, found, sizeof found), "nvmlDeviceGetUUID")) return;
    if (wanted.uuid != found)
      set_reason(
          fmt::format("NVML finds {} at {} where CUDA has {}; no sensors rather than those of another part",
                      found, wanted.pci_bus_id, wanted.uuid));
  }

  std::optional<double> power_w() const {
    nvmlFieldValue_t field{};
    field.fieldId = NVML_FI_DEV_POWER_INSTANT;
    if (api().fields != nullptr && api().fields(device, 1, &field) == NVML_SUCCESS &&
        field.nvmlReturn == NVML_SUCCESS && field.valueType == NVML_VALUE_TYPE_UNSIGNED_INT)
      return field.value.uiVal * kPerKilo;
    unsigned mw = 0;
    if (api().power != nullptr && api().power(device, &mw) == NVML_SUCCESS) return mw * kPerKilo;
    return std::nullopt;
  }
};

NvmlSensors::NvmlSensors(const LibrarySearch& search, const CudaProperties& device)
    : state_(std::make_unique<State>(search, device)) {}
NvmlSensors::~NvmlSensors() = default;
NvmlSensors::NvmlSensors(NvmlSensors&&) noexcept = default;

const std::string& NvmlSensors::reason() const { return state_->reason(); }
const std::string& NvmlSensors::library_path() const { return state_->path(); }

std::optional<std::string> NvmlSensors::driver_version() const {
  char text[NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE] = "";
  if (!state_->initialised || state_->api().driver_version == nullptr) return std::nullopt;
  if (state_->api().driver_version(text, sizeof text) != NVML_SUCCESS) return std::nullopt;
  return text;
}

SensorReading NvmlSensors::read() const {
  SensorReading reading;
  if (!state_->reason().empty()) return reading;
  const Api& api = state_->api();
  const nvmlDevice_t device = state_->device;
  unsigned value = 0;
  if (api.clock != nullptr && api.clock(device, NVML_CLOCK_SM, &value) == NVML_SUCCESS)
    reading.clock_mhz = value;
  if (api.temperature != nullptr && api.temperature(device, NVML_TEMPERATURE_GPU, &value) == NVML_SUCCESS)
    reading.temperature_c = value;
  if (api.power_limit != nullptr && api.power_limit(device, &value) == NVML_SUCCESS)
    reading.power_limit_w = value * kPerKilo;
  reading.power_w = state_->power_w();
  unsigned long long wide = 0;
  if (api.energy != nullptr && api.energy(device, &wide) == NVML_SUCCESS) reading.energy_mj = double(wide);
  if (api.throttle != nullptr && api.throttle(device, &wide) == NVML_SUCCESS)
    reading.throttle = throttle_text(wide);
  return reading;
}

std::optional<double> mean_power_w(std::span<const NvmlSensors> devices, double window_ms) {
  const auto read_mj = [&](std::vector<double>& all) {
    for (const NvmlSensors& device : devices)
      if (const auto mj = device.read().energy_mj) all.push_back(*mj);
    return !devices.empty() && all.size() == devices.size();
  };
  std::vector<double> before_mj, after_mj;
  const auto start = std::chrono::steady_clock::now();
  if (!read_mj(before_mj)) return std::nullopt;
  std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(window_ms));
  if (!read_mj(after_mj)) return std::nullopt;
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  double used_mj = 0;
  for (size_t i = 0; i < devices.size(); ++i) {
    if (after_mj[i] <= before_mj[i]) return std::nullopt;
    used_mj += after_mj[i] - before_mj[i];
  }
  return used_mj / double(devices.size()) / elapsed.count();
}

std::string throttle_text(unsigned long long reasons) {
  struct Name {
    unsigned long long bit;
    const char* text;
  };
  constexpr Name kNames[] = {
      {nvmlClocksEventReasonSwPowerCap, "power cap"},
      {nvmlClocksThrottleReasonHwSlowdown, "hardware slowdown"},
      {nvmlClocksEventReasonSyncBoost, "sync boost"},
      {nvmlClocksEventReasonSwThermalSlowdown, "thermal slowdown (software)"},
      {nvmlClocksThrottleReasonHwThermalSlowdown, "thermal slowdown (hardware)"},
      {nvmlClocksThrottleReasonHwPowerBrakeSlowdown, "power brake"},
      {nvmlClocksEventReasonDisplayClockSetting, "display clock setting"},
  };
  reasons &= ~(nvmlClocksEventReasonGpuIdle | nvmlClocksEventReasonApplicationsClocksSetting);
  std::string text;
  const auto append = [&](const std::string& part) { text += text.empty() ? part : ", " + part; };
  for (const Name& name : kNames) {
    if ((reasons & name.bit) != 0) append(name.text);
    reasons &= ~name.bit;
  }
  if (reasons != 0) append(fmt::format("0x{:x}", reasons));
  return text;
}

}  // namespace perfatlas
