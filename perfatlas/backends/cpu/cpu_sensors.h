// SPDX-License-Identifier: Apache-2.0
// Clock, temperature and energy of a set of cores from sysfs. Virtual machines usually have none of them.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/measure/sample.h"

namespace perfatlas {

class CpuSensors {
 public:
  /// Finds the sensor files of `cores` once. `sysfs` is "/sys" but in tests.
  explicit CpuSensors(const std::vector<int>& cores, const std::string& sysfs = "/sys");

  /// clock_mhz: mean of the cores' current cpufreq frequency; temperature_c: hottest package sensor (coretemp,
  /// k10temp); energy_mj: sum of the RAPL package counters, wrap-around undone; power_limit_w: sum of the packages'
  /// long-term limits. A sensor that cannot be read is absent.
  SensorReading read();

 private:
  struct EnergyCounter {
    std::string file;
    double range_uj = 0;  // the counter starts again at 0 above this
    double last_uj = 0;
    double wrapped_uj = 0;
  };

  std::optional<double> read_energy_mj();

  std::vector<std::string> frequency_files_, temperature_files_, limit_files_;
  std::vector<EnergyCounter> energy_;
};

}  // namespace perfatlas
