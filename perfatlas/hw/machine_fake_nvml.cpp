// SPDX-License-Identifier: Apache-2.0
// A stand-in for the driver's libnvidia-ml.so.1, opened by machine_probe_test: three GPUs, of which the third does not
// answer. Nothing here claims to be a measurement. What is asked of clocks goes to the file FAKE_NVML_CLOCKS; where
// that is empty, it is forbidden.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {
int put(char* buffer, unsigned length, const char* text) {
  if (std::strlen(text) >= length) return 7;  // NVML_ERROR_INSUFFICIENT_SIZE
  std::strcpy(buffer, text);
  return 0;
}
int note_clocks(void* device, const char* text) {
  std::FILE* file = std::fopen(std::getenv("FAKE_NVML_CLOCKS"), "a");
  if (file == nullptr) return 4;  // NVML_ERROR_NO_PERMISSION
  std::fprintf(file, "%u %s\n", unsigned(reinterpret_cast<uintptr_t>(device)), text);
  std::fclose(file);
  return 0;
}
bool second(void* device) { return reinterpret_cast<uintptr_t>(device) == 2; }
}  // namespace

extern "C" {
int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 3;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index > 1) return 15;  // NVML_ERROR_GPU_IS_LOST
  *device = reinterpret_cast<void*>(uintptr_t(index + 1));
  return 0;
}
int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  if (std::strcmp(uuid, "GPU-1") != 0 && std::strcmp(uuid, "GPU-2") != 0) return 6;  // NVML_ERROR_NOT_FOUND
  *device = reinterpret_cast<void*>(uintptr_t(uuid[4] - '0'));
  return 0;
}
int nvmlDeviceSetGpuLockedClocks(void* device, unsigned low, unsigned high) {
  char text[64];
  std::snprintf(text, sizeof text, "locked %u-%u", low, high);
  return note_clocks(device, text);
}
int nvmlDeviceResetGpuLockedClocks(void* device) { return note_clocks(device, "free"); }
int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  return put(name, length, second(device) ? "NVIDIA H100 NVL" : "NVIDIA H200");
}
int nvmlDeviceGetMemoryInfo(void*, unsigned long long* total_free_used) {
  total_free_used[0] = 150754820096;
  return 0;
}
int nvmlDeviceGetCudaComputeCapability(void*, int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return 0;
}
int nvmlDeviceGetEnforcedPowerLimit(void* device, unsigned* milliwatts) {
  *milliwatts = 700000;
  return second(device) ? 3 : 0;  // NVML_ERROR_NOT_SUPPORTED
}
int nvmlDeviceGetMaxClockInfo(void*, int type, unsigned* mhz) {
  *mhz = 1980;
  return type == 1 ? 0 : 2;
}
int nvmlSystemGetDriverVersion(char* version, unsigned length) { return put(version, length, "570.86.15"); }
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 12080;
  return 0;
}
}
