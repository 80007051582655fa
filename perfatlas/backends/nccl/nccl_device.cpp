// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <utility>

#include "perfatlas/backends/cpu/cpu_facts.h"
#include "perfatlas/backends/nccl/nccl_launcher.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// Every operand exists in this process, too.
constexpr double kFrontShare = 0.5;

constexpr int kMostGpus = 1024;

/// What a user has set decides algorithms and paths, and so belongs to the numbers.
constexpr const char* kSettings[] = {"NCCL_ALGO",        "NCCL_PROTO",         "NCCL_P2P_DISABLE",
                                     "NCCL_NVLS_ENABLE", "NCCL_MAX_NCHANNELS", "NCCL_MIN_NCHANNELS"};

template <class Value>
using Of = std::optional<Value> SensorReading::*;

/// Nothing where one of them is unknown.
std::optional<double> mean(const std::vector<SensorReading>& all, Of<double> value) {
  double sum = 0;
  for (const SensorReading& one : all) {
    if (!(one.*value)) return std::nullopt;
    sum += *(one.*value);
  }
  return sum / double(all.size());
}

/// The smallest by `before`; nothing where one of them is unknown.
template <class Before>
std::optional<double> first_by(const std::vector<SensorReading>& all, Of<double> value, Before before) {
  std::optional<double> first;
  for (const SensorReading& one : all) {
    if (!(one.*value)) return std::nullopt;
    if (!first || before(*(one.*value), *first)) first = one.*value;
  }
  return first;
}

std::optional<std::string> throttle_of(const std::vector<SensorReading>& all) {
  std::string text;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    if (!all[rank].throttle) return std::nullopt;
    if (all[rank].throttle->empty()) continue;
    text += fmt::format("{}rank {}: {}", text.empty() ? "" : "; ", rank, *all[rank].throttle);
  }
  return text;
}

/// See NcclDevice::read_sensors(). Of none nothing is known.
SensorReading whole_reading(const std::vector<SensorReading>& all) {
  if (all.empty()) return {};
  return {.clock_mhz = first_by(all, &SensorReading::clock_mhz, std::less()),
          .temperature_c = first_by(all, &SensorReading::temperature_c, std::greater()),
          .power_w = mean(all, &SensorReading::power_w),
          .power_limit_w = mean(all, &SensorReading::power_limit_w),
          .energy_mj = mean(all, &SensorReading::energy_mj),
          .throttle = throttle_of(all)};
}

void require_gpus(const std::vector<int>& wanted, int count) {
  for (const int gpu : wanted)
    if (gpu >= count)
      throw UsageError(fmt::format("device cuda:{} does not exist: this machine shows {} CUDA device{}", gpu,
                                   count, count == 1 ? "" : "s"));
}

}  // namespace

std::vector<int> parse_gpus(std::string_view text) {
  const std::string_view numbers = text.starts_with("cuda:") ? text.substr(5) : text;
  std::vector<int> gpus;
  for (const std::string_view part : split(numbers, ',')) {
    const size_t dash = part.find('-');
    const auto first = parse_integer(part.substr(0, dash));
    const auto last = dash == part.npos ? first : parse_integer(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostGpus)
      throw UsageError(fmt::format("'{}' names no GPUs; write cuda:0-3, or 0,2", text));
    for (int64_t gpu = *first; gpu <= *last; ++gpu) gpus.push_back(int(gpu));
  }
  std::vector<int> sorted = gpus;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    throw UsageError(fmt::format("'{}' names a GPU twice; every rank needs its own", text));
  return gpus;
}

NcclDevice::NcclDevice(const Front& front)
    : rank_program_(front.rank_program), nccl_(front.nccl), peer_sums_(front.peer_sums) {
  if (front.gpus != "all") gpus_ = parse_gpus(front.gpus);
  info_.memory_bytes = kFrontShare * memory_limit_bytes().value_or(0);
  launcher_problem_ = front.nccl->reason();
  if (launcher_problem_.empty()) {
    info_.versions["nccl"] = front.nccl->version();
    info_.versions["nccl_file"] = front.nccl->path();
  }
  if (peer_sums_ != nullptr) info_.versions["flashinfer"] = peer_sums_->version;
  for (const char* const name : kSettings)
    if (const char* const value = std::getenv(name)) info_.versions[name] = value;
  try {
    look_at_gpus(front);
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    launcher_problem_ = fmt::format("no GPU can be used: {}", error.what());
  }
  info_.id = fmt::format("cuda:{}", fmt::join(gpus_, ","));
}

void NcclDevice::look_at_gpus(const Front& front) {
  const int count = front.runtime->device_count();
  require_gpus(gpus_, count);
  if (gpus_.empty()) {
    gpus_.resize(size_t(count));
    std::iota(gpus_.begin(), gpus_.end(), 0);
  }
  if (gpus_.empty()) throw Error("no CUDA device is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES");
  for (const int gpu : gpus_) {
    const CudaProperties found = front.runtime->properties_of(gpu);
    sensors_.emplace_back(front.search, found);
    if (gpu != gpus_[0]) continue;
    info_.name = found.name;
    info_.llc_bytes = double(found.l2_bytes);
  }
  for (const auto& [name, version] : front.runtime->versions()) info_.versions[name] = version;
  if (const auto driver = sensors_[0].driver_version()) info_.versions["driver"] = *driver;
  if (!sensors_[0].library_path().empty()) info_.versions["nvml_file"] = sensors_[0].library_path();
}

SensorReading NcclDevice::read_sensors() {
  std::vector<SensorReading> readings;
  for (size_t rank = 0; rank < std::min(size_t(ranks_in_use()), sensors_.size()); ++rank)
    readings.push_back(sensors_[rank].read());
  SensorReading whole = whole_reading(readings);
  if (const auto mhz = take_slowest_clock_mhz()) whole.clock_mhz = mhz;
  return whole;
}

std::string NcclDevice::sensors_reason() const {
  for (const NvmlSensors& one : sensors_)
    if (!one.reason().empty()) return one.reason();
  return {};
}

std::optional<double> NcclDevice::idle_power_w() {
  if (std::exchange(idle_measured_, true)) return idle_power_w_;
  return idle_power_w_ = mean_power_w(sensors_, energy_window_ms_);
}

std::unique_ptr<RankLauncher> NcclDevice::make_launcher(int ranks) {
  PERFATLAS_ASSERT(size_t(ranks) <= gpus_.size());
  return std::make_unique<NcclLauncher>(rank_program_, gpus_, *nccl_);
}

}  // namespace perfatlas
