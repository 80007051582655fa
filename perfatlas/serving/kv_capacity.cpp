// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/kv_capacity.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/constants.h"

namespace perfatlas {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kMostWeightShare = 0.95;

}  // namespace

double kv_capacity_tokens(const Launch& launch, const RankMemory& memory) {
  if (launch.engine == ServingEngine::llama_cpp)
    throw UsageError(
        "llama_cpp holds as many KV tokens as its context size; give that instead of memory sizes");
  if (memory.weight_bytes >= kMostWeightShare * memory.device_bytes)
    throw UsageError(fmt::format(
        "the weights need {:.1f} GiB per device, which has {:.1f} GiB; spread the model over more "
        "devices or use a smaller type",
        memory.weight_bytes / kGiB, memory.device_bytes / kGiB));
  const double reserve = kMemoryReserve.value * kGiB;
  const double bytes = launch.engine == ServingEngine::trtllm
                           ? launch.kv_fraction.value_or(kTrtllmFreeShare.value) *
                                 (memory.device_bytes - memory.weight_bytes - reserve)
                           : launch.kv_fraction.value_or(kMemoryShare.value) * memory.device_bytes -
                                 memory.weight_bytes - reserve;
  return std::max(bytes, kLeastKvShare.value * memory.device_bytes) / memory.kv_bytes_per_token;
}

}  // namespace perfatlas
