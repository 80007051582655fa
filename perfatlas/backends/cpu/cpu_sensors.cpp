// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_sensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/backends/cpu/cpu_facts.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

std::optional<double> read_number(const std::string& path) {
  const auto line = first_line(path);
  return line ? parse_real(trim(*line)) : std::nullopt;
}

/// Folders directly below `folder`, sorted; none when it cannot be read.
std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code ignored;  // an unreadable folder has no sensors
  for (std::filesystem::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored))
    found.push_back(it->path().string());
  std::sort(found.begin(), found.end());
  return found;
}

/// Numbers of all files, or nothing when one of them cannot be read.
std::optional<std::vector<double>> read_each(const std::vector<std::string>& files) {
  std::vector<double> values;
  for (const std::string& file : files) {
    const auto value = read_number(file);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  return values;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

}  // namespace

CpuSensors::CpuSensors(const std::vector<int>& cores, const std::string& sysfs) {
  for (const int core : cores)
    frequency_files_.push_back(
        fmt::format("{}/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", sysfs, core));
  for (const std::string& folder : folders_in(sysfs + "/class/hwmon")) {
    const auto name = first_line(folder + "/name");
    if (name && (*name == "coretemp" || *name == "k10temp"))
      temperature_files_.push_back(folder + "/temp1_input");
  }
  for (const std::string& folder : folders_in(sysfs + "/class/powercap")) {
    const auto name = first_line(folder + "/name");
    if (!name || !name->starts_with("package")) continue;
    const auto range_uj = read_number(folder + "/max_energy_range_uj");
    if (range_uj && read_number(folder + "/energy_uj"))
      energy_.push_back({folder + "/energy_uj", *range_uj, 0, 0});
    limit_files_.push_back(folder + "/constraint_0_power_limit_uw");
  }
}

std::optional<double> CpuSensors::read_energy_mj() {
  if (energy_.empty()) return std::nullopt;
  double total_uj = 0;
  for (EnergyCounter& counter : energy_) {
    const auto now_uj = read_number(counter.file);
    if (!now_uj) return std::nullopt;
    if (*now_uj < counter.last_uj) counter.wrapped_uj += counter.range_uj;
    counter.last_uj = *now_uj;
    total_uj += counter.wrapped_uj + *now_uj;
  }
  return total_uj / 1e3;
}

SensorReading CpuSensors::read() {
  SensorReading reading;
  if (const auto khz = read_each(frequency_files_)) reading.clock_mhz = sum(*khz) / double(khz->size()) / 1e3;
  if (const auto milli = read_each(temperature_files_))
    reading.temperature_c = *std::max_element(milli->begin(), milli->end()) / 1e3;
  if (const auto limits_uw = read_each(limit_files_)) reading.power_limit_w = sum(*limits_uw) / 1e6;
  reading.energy_mj = read_energy_mj();
  return reading;
}

}  // namespace perfatlas
