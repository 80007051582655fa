// SPDX-License-Identifier: Apache-2.0
// For tests: an NVML with two devices, counted in another order than CUDA would; variables of the environment make
// it fail. Device "a" is index 0, device "b" index 1.
#include <nvml.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

// The only type of that name here; nvml.h leaves it opaque.
struct nvmlDevice_st {
  const char* uuid;
  const char* bus_id;
  unsigned clock_mhz, temperature_c, power_mw, limit_mw;
  unsigned long long energy_mj;
};

namespace {

nvmlDevice_st devices[] = {
    {"GPU-00000000-0000-0000-0000-00000000000a", "0000:0a:00.0", 345, 30, 75000, 350000, 1},
    {"GPU-00000000-0000-0000-0000-00000000000b", "0000:0b:00.0", 1980, 61, 512500, 700000, 123456},
};

bool asked(const char* variable) { return std::getenv(variable) != nullptr; }

}  // namespace

extern "C" {

nvmlReturn_t nvmlInit_v2() {
  return asked("FAKE_NVML_INIT_FAILS") ? NVML_ERROR_DRIVER_NOT_LOADED : NVML_SUCCESS;
}
nvmlReturn_t nvmlShutdown() { return NVML_SUCCESS; }
const char* nvmlErrorString(nvmlReturn_t code) {
  return code == NVML_ERROR_DRIVER_NOT_LOADED ? "Driver Not Loaded" : "Not Found";
}
nvmlReturn_t nvmlSystemGetDriverVersion(char* version, unsigned length) {
  std::snprintf(version, length, "580.0.1");
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char* uuid, nvmlDevice_t* device) {
  if (asked("FAKE_NVML_NO_UUIDS")) return NVML_ERROR_NOT_FOUND;
  for (auto& candidate : devices)
    if (std::strcmp(candidate.uuid, uuid) == 0) return *device = &candidate, NVML_SUCCESS;
  return NVML_ERROR_NOT_FOUND;
}
nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, nvmlDevice_t* device) {
  for (auto& candidate : devices)
    if (std::strcmp(candidate.bus_id, bus_id) == 0) return *device = &candidate, NVML_SUCCESS;
  return NVML_ERROR_NOT_FOUND;
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char* uuid, unsigned length) {
  std::snprintf(uuid, length, "%s", device->uuid);
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, nvmlClockType_t type, unsigned* mhz) {
  *mhz = type == NVML_CLOCK_SM ? device->clock_mhz : 1;
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, nvmlTemperatureSensors_t, unsigned* celsius) {
  *celsius = device->temperature_c;
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t* fields) {
  for (int i = 0; i < count; ++i) {
    const bool known = fields[i].fieldId == NVML_FI_DEV_POWER_INSTANT && !asked("FAKE_NVML_NO_INSTANT_POWER");
    fields[i].nvmlReturn = known ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
    fields[i].valueType = NVML_VALUE_TYPE_UNSIGNED_INT;
    fields[i].value.uiVal = device->power_mw;
  }
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned* mw) {
  *mw = device->power_mw + 1000;
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned* mw) {
  *mw = device->limit_mw;
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long* mj) {
  if (asked("FAKE_NVML_NO_ENERGY")) return NVML_ERROR_NOT_SUPPORTED;
  const char* const step =
      std::getenv("FAKE_NVML_ENERGY_STEP");  // per look; without it the counter stands still
  static unsigned long long looks = 0;
  *mj = device->energy_mj + (step == nullptr ? 0 : ++looks * std::strtoull(step, nullptr, 10));
  return NVML_SUCCESS;
}
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t, unsigned long long* reasons) {
  const char* text = std::getenv("FAKE_NVML_REASONS");
  *reasons = text == nullptr ? 0 : std::strtoull(text, nullptr, 0);
  return NVML_SUCCESS;
}

}  // extern "C"
