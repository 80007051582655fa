// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

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

NcclDevice::NcclDevice(const Front& front) : rank_program_(front.rank_program), nccl_(front.nccl) {
  if (front.gpus != "all") gpus_ = parse_gpus(front.gpus);
  info_.memory_bytes = kFrontShare * memory_limit_bytes().value_or(0);
  launcher_problem_ = front.nccl->reason();
  if (launcher_problem_.empty()) {
    info_.versions["nccl"] = front.nccl->version();
    info_.versions["nccl_file"] = front.nccl->path();
  }
  for (const char* const name : kSettings)
    if (const char* const value = std::getenv(name)) info_.versions[name] = value;
  try {
    const int count = front.runtime->device_count();
    require_gpus(gpus_, count);
    if (gpus_.empty()) {
      gpus_.resize(size_t(count));
      std::iota(gpus_.begin(), gpus_.end(), 0);
    }
    if (gpus_.empty()) throw Error("no CUDA device is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES");
    const CudaProperties first = front.runtime->properties_of(gpus_[0]);
    info_.name = first.name;
    info_.llc_bytes = double(first.l2_bytes);
    for (const auto& [name, version] : front.runtime->versions()) info_.versions[name] = version;
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    launcher_problem_ = fmt::format("no GPU can be used: {}", error.what());
  }
  info_.id = fmt::format("cuda:{}", fmt::join(gpus_, ","));
}

std::unique_ptr<RankLauncher> NcclDevice::make_launcher(int ranks) {
  PERFATLAS_ASSERT(size_t(ranks) <= gpus_.size());
  return std::make_unique<NcclLauncher>(rank_program_, gpus_, *nccl_);
}

}  // namespace perfatlas
