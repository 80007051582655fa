// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/nvml_sensors.h"

#include <fmt/format.h>
#include <nvml.h>

namespace perfatlas {
namespace {

struct Api {
  decltype(nvmlInit_v2)* init = nullptr;
  decltype(nvmlShutdown)* shutdown = nullptr;
  decltype(nvmlErrorString)* error_string = nullptr;
  decltype(nvmlSystemGetDriverVersion)* driver_version = nullptr;
  decltype(nvmlDeviceGetHandleByUUID)* by_uuid = nullptr;
  decltype(nvmlDeviceGetHandleByPciBusId_v2)* by_bus_id = nullptr;
  decltype(nvmlDeviceGetUUID)* uuid = nullptr;
  decltype(nvmlDeviceGetClockInfo)* clock = nullptr;
  decltype(nvmlDeviceGetTemperature)* temperature = nullptr;
  decltype(nvmlDeviceGetFieldValues)* fields = nullptr;
  decltype(nvmlDeviceGetPowerUsage)* power = nullptr;
  decltype(nvmlDeviceGetEnforcedPowerLimit)* power_limit = nullptr;
  decltype(nvmlDeviceGetTotalEnergyConsumption)* energy = nullptr;
  decltype(nvmlDeviceGetCurrentClocksEventReasons)* throttle = nullptr;

  explicit Api(DynamicLibrary& library) {
    library.require(init, "nvmlInit_v2");
    library.require(shutdown, "nvmlShutdown");
    library.require(error_string, "nvmlErrorString");
    library.require(by_uuid, "nvmlDeviceGetHandleByUUID");
    library.require(by_bus_id, "nvmlDeviceGetHandleByPciBusId_v2");
    library.require(uuid, "nvmlDeviceGetUUID");
    library.accept(driver_version, "nvmlSystemGetDriverVersion");
    library.accept(clock, "nvmlDeviceGetClockInfo");
    library.accept(temperature, "nvmlDeviceGetTemperature");
    library.accept(fields, "nvmlDeviceGetFieldValues");
    library.accept(power, "nvmlDeviceGetPowerUsage");
    library.accept(power_limit, "nvmlDeviceGetEnforcedPowerLimit");
    library.accept(energy, "nvmlDeviceGetTotalEnergyConsumption");
    library.accept(throttle, "nvmlDeviceGetCurrentClocksEventReasons");
    // The same function under its name before driver 535.
    if (throttle == nullptr) library.accept(throttle, "nvmlDeviceGetCurrentClocksThrottleReasons");
  }
};

LibraryRequest nvml_request() {
  return {.name = "NVML",
          .files = {"libnvidia-ml.so.1"},
          .wheel_folders = {},
          .more_folders = {"/usr/local/nvidia", "/usr/lib/wsl/lib"}};
}

constexpr double kPerKilo = 1e-3;  // NVML states power in milliwatts

}  // namespace

struct NvmlSensors::State {
  DynamicLibrary library;
  Api api;
  nvmlDevice_t device{};
  bool initialised = false;
  std::string reason;

  State(const LibrarySearch& search, const CudaProperties& wanted)
      : library(nvml_request(), search), api(library) {
    reason = library.reason();
    if (!reason.empty()) return;
    initialised = succeeded(api.init(), "nvmlInit");
    if (initialised) find_device(wanted);
  }
  ~State() {
    if (initialised) api.shutdown();
  }

  bool succeeded(nvmlReturn_t code, const char* call) {
    if (code != NVML_SUCCESS) reason = fmt::format("{} failed: {}", call, api.error_string(code));
    return code == NVML_SUCCESS;
  }

  void find_device(const CudaProperties& wanted) {
    if (api.by_uuid(wanted.uuid.c_str(), &device) == NVML_SUCCESS) return;
    if (!succeeded(api.by_bus_id(wanted.pci_bus_id.c_str(), &device), "nvmlDeviceGetHandleByPciBusId"))
      return;
    char found[NVML_DEVICE_UUID_V2_BUFFER_SIZE] = "";
    if (!succeeded(api.uuid(device, found, sizeof found), "nvmlDeviceGetUUID")) return;
    if (wanted.uuid != found)
      reason =
          fmt::format("NVML finds {} at {} where CUDA has {}; no sensors rather than those of another part",
                      found, wanted.pci_bus_id, wanted.uuid);
  }

  std::optional<double> power_w() const {
    nvmlFieldValue_t field{};
    field.fieldId = NVML_FI_DEV_POWER_INSTANT;
    if (api.fields != nullptr && api.fields(device, 1, &field) == NVML_SUCCESS &&
        field.nvmlReturn == NVML_SUCCESS && field.valueType == NVML_VALUE_TYPE_UNSIGNED_INT)
      return field.value.uiVal * kPerKilo;
    unsigned mw = 0;
    if (api.power != nullptr && api.power(device, &mw) == NVML_SUCCESS) return mw * kPerKilo;
    return std::nullopt;
  }
};

NvmlSensors::NvmlSensors(const LibrarySearch& search, const CudaProperties& device)
    : state_(std::make_unique<State>(search, device)) {}
NvmlSensors::~NvmlSensors() = default;
NvmlSensors::NvmlSensors(NvmlSensors&&) noexcept = default;

const std::string& NvmlSensors::reason() const { return state_->reason; }
const std::string& NvmlSensors::library_path() const { return state_->library.path(); }

std::optional<std::string> NvmlSensors::driver_version() const {
  char text[NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE] = "";
  if (!state_->initialised || state_->api.driver_version == nullptr) return std::nullopt;
  if (state_->api.driver_version(text, sizeof text) != NVML_SUCCESS) return std::nullopt;
  return text;
}

SensorReading NvmlSensors::read() const {
  SensorReading reading;
  if (!state_->reason.empty()) return reading;
  const Api& api = state_->api;
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
