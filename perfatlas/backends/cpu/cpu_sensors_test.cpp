// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_sensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace perfatlas {
namespace {

/// A small sysfs that is removed again.
class FakeSysfs {
 public:
  FakeSysfs()
      : root_(std::filesystem::temp_directory_path() / ("perfatlas_sysfs_" + std::to_string(::getpid()))) {}
  ~FakeSysfs() { std::filesystem::remove_all(root_); }
  void put(const std::string& file, const std::string& text) {
    const std::filesystem::path path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  std::string root() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};

TEST(CpuSensors, WhatTheMachineDoesNotTellIsAbsent) {
  CpuSensors sensors({0, 1}, "/nonexistent");
  const SensorReading reading = sensors.read();
  EXPECT_FALSE(reading.clock_mhz || reading.temperature_c || reading.power_w || reading.energy_mj ||
               reading.power_limit_w || reading.throttle);
}

TEST(CpuSensors, ReadsClockTemperatureAndEnergy) {
  FakeSysfs sysfs;
  sysfs.put("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2000000");
  sysfs.put("devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3000000");
  sysfs.put("class/hwmon/hwmon0/name", "nvme");
  sysfs.put("class/hwmon/hwmon0/temp1_input", "99000");
  sysfs.put("class/hwmon/hwmon1/name", "coretemp");
  sysfs.put("class/hwmon/hwmon1/temp1_input", "54500");
  for (const char* package : {"intel-rapl:0", "intel-rapl:1"}) {
    sysfs.put(std::string("class/powercap/") + package + "/name", "package-0");
    sysfs.put(std::string("class/powercap/") + package + "/max_energy_range_uj", "262143328850");
    sysfs.put(std::string("class/powercap/") + package + "/energy_uj", "1500000");
    sysfs.put(std::string("class/powercap/") + package + "/constraint_0_power_limit_uw", "350000000");
  }
  sysfs.put("class/powercap/intel-rapl:0:0/name", "dram");
  CpuSensors sensors({0, 1}, sysfs.root());
  const SensorReading reading = sensors.read();
  EXPECT_EQ(reading.clock_mhz, 2500);
  EXPECT_EQ(reading.temperature_c, 54.5);
  EXPECT_EQ(reading.energy_mj, 3000);
  EXPECT_EQ(reading.power_limit_w, 700);
}

TEST(CpuSensors, AnEnergyCounterThatStartsAgainGoesOnRising) {
  FakeSysfs sysfs;
  sysfs.put("class/powercap/intel-rapl:0/name", "package-0");
  sysfs.put("class/powercap/intel-rapl:0/max_energy_range_uj", "1000000");
  sysfs.put("class/powercap/intel-rapl:0/energy_uj", "900000");
  CpuSensors sensors({0}, sysfs.root());
  EXPECT_EQ(sensors.read().energy_mj, 900);
  sysfs.put("class/powercap/intel-rapl:0/energy_uj", "100000");
  EXPECT_EQ(sensors.read().energy_mj, 1100);
}

}  // namespace
}  // namespace perfatlas
