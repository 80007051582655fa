// SPDX-License-Identifier: Apache-2.0
// What a worker needs on every GPU, and whether it fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "perfatlas/estimate/framework_rules.h"
#include "perfatlas/estimate/served_model.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas::estimate {

/// Bytes of one GPU.
struct Memory {
  double weights = 0, activations = 0, kv_cache = 0, communication = 0, other = 0;
  double total() const { return weights + activations + kv_cache + communication + other; }
};

/// What has to be in memory at once.
struct MemoryDemand {
  int64_t batch = 1;            // sequences in the KV cache
  int64_t sequence_tokens = 1;  // of each
  int64_t step_tokens = 1;      // that a step works on
  /// Of step_tokens, those that bring drafted ones with them; absent: all.
  std::optional<int64_t> drafting_tokens = 0;
};

/// A worker as far as its memory is concerned. The pointees outlive it.
struct WorkerSizes {
  const ServedModel* model;
  const Deployment* deployment;
  const AicSystem* system;
  double weight_bytes;  // of one rank
};

/// Throws Error where the system's description lacks nccl_mem or other_mem.
Memory memory_of(const WorkerSizes& worker, const MemoryDemand& demand);

enum class Fit {
  fits,
  kv_cache_too_small,  // the framework would queue some of the requests
  does_not_fit,
};

/// Bytes that the framework gives the KV cache, beside `memory` without its cache.
double kv_budget_bytes(const Memory& memory, const CacheRule& rule, double capacity_bytes);
Fit fit_of(const Memory& memory, const CacheRule& rule, double capacity_bytes);

/// The GPU's memory. Throws Error where the system's description does not say.
double capacity_bytes(const AicSystem& system);

}  // namespace perfatlas::estimate
