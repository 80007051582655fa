// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/nvml_sensors.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace perfatlas {
namespace {

using testing::HasSubstr;

/// Sets a variable that the fake NVML (fake_nvml.cpp) obeys, for the lifetime of the object.
class Fault {
 public:
  explicit Fault(const char* name, const char* value = "1") : name_(name) { setenv(name, value, 1); }
  ~Fault() { unsetenv(name_); }

 private:
  const char* name_;
};

LibrarySearch fakes() { return {{{PERFATLAS_FAKE_LIBRARIES, false}}}; }

CudaProperties device_b() {
  return {.name = "b", .uuid = "GPU-00000000-0000-0000-0000-00000000000b", .pci_bus_id = "0000:0b:00.0"};
}

void expect_device_b(const SensorReading& reading) {
  EXPECT_EQ(reading.clock_mhz, 1980);
  EXPECT_EQ(reading.temperature_c, 61);
  EXPECT_EQ(reading.power_w, 512.5);
  EXPECT_EQ(reading.power_limit_w, 700);
  EXPECT_EQ(reading.energy_mj, 123456);
}

TEST(NvmlSensors, ReadsTheDeviceOfTheSameUuidNotOfTheSameIndex) {
  const NvmlSensors sensors(fakes(), device_b());
  EXPECT_EQ(sensors.reason(), "");
  expect_device_b(sensors.read());
  EXPECT_EQ(sensors.read().throttle, "");
  EXPECT_EQ(sensors.driver_version(), "580.0.1");
  EXPECT_THAT(sensors.library_path(), HasSubstr("libnvidia-ml.so.1"));
}

TEST(NvmlSensors, FindsTheDeviceByBusIdWhenUuidsAreUnknown) {
  const Fault fault("FAKE_NVML_NO_UUIDS");
  expect_device_b(NvmlSensors(fakes(), device_b()).read());
}

TEST(NvmlSensors, RefusesADeviceThatIsAnotherOne) {
  const Fault fault("FAKE_NVML_NO_UUIDS");
  CudaProperties device = device_b();
  device.pci_bus_id = "0000:0a:00.0";
  const NvmlSensors sensors(fakes(), device);
  EXPECT_THAT(sensors.reason(), HasSubstr("no sensors rather than"));
  EXPECT_FALSE(sensors.read().clock_mhz || sensors.read().energy_mj || sensors.read().throttle);
}

/// CUDA gives an instance of a partitioned card (MIG) a UUID of its own, on the bus of the card: what NVML measures
/// there is the whole card.
TEST(NvmlSensors, AnInstanceOfAPartitionedCardHasNoneOfTheWholeCard) {
  CudaProperties device = device_b();
  device.uuid = "GPU-11111111-2222-3333-4444-555555555555";
  const NvmlSensors sensors(fakes(), device);
  EXPECT_THAT(sensors.reason(), HasSubstr("no sensors rather than those of another part"));
  EXPECT_FALSE(sensors.read().energy_mj || sensors.read().power_w || sensors.read().clock_mhz);
}

TEST(NvmlSensors, UnknownIsAbsentNeverZero) {
  const Fault fault("FAKE_NVML_NO_ENERGY");
  const SensorReading reading = NvmlSensors(fakes(), device_b()).read();
  EXPECT_FALSE(reading.energy_mj);
  EXPECT_TRUE(reading.power_w);
}

TEST(NvmlSensors, FallsBackToAveragedPower) {
  const Fault fault("FAKE_NVML_NO_INSTANT_POWER");
  EXPECT_EQ(NvmlSensors(fakes(), device_b()).read().power_w, 513.5);
}

TEST(NvmlSensors, ReportsThrottling) {
  const Fault fault("FAKE_NVML_REASONS", "0x44");
  EXPECT_EQ(NvmlSensors(fakes(), device_b()).read().throttle, "power cap, thermal slowdown (hardware)");
}

TEST(NvmlSensors, SaysWhyThereAreNone) {
  const NvmlSensors missing(LibrarySearch{}, device_b());
  EXPECT_THAT(missing.reason(), HasSubstr("NVML"));
  EXPECT_FALSE(missing.read().power_w);
  EXPECT_FALSE(missing.driver_version());
  const Fault fault("FAKE_NVML_INIT_FAILS");
  EXPECT_THAT(NvmlSensors(fakes(), device_b()).reason(), HasSubstr("Driver Not Loaded"));
}

TEST(ThrottleText, IdleAndClocksThatSomebodySetAreNoThrottling) {
  EXPECT_EQ(throttle_text(0), "");
  EXPECT_EQ(throttle_text(0x1 | 0x2), "");
  EXPECT_EQ(throttle_text(0x1 | 0x8), "hardware slowdown");
  EXPECT_EQ(throttle_text(0x4 | 0x100000), "power cap, 0x100000");
}

}  // namespace
}  // namespace perfatlas
