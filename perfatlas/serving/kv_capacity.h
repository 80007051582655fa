// SPDX-License-Identifier: Apache-2.0
// How many tokens of KV cache a rank has room for.
#pragma once

#include "perfatlas/serving/launch.h"

namespace perfatlas {

struct RankMemory {
  double device_bytes = 0;        // capacity of one device
  double weight_bytes = 0;        // of the model on one rank
  double kv_bytes_per_token = 0;  // on one rank
};

/// KV tokens per rank with the shares and the reserve of constants.h; a given kv_fraction stands in for the share.
/// Optimistic on purpose, and never below a small floor: a configuration whose weights fit queues rather than fails.
/// Throws UsageError when the weights alone fill 95 % of the device, and for llama.cpp, which is told its context size.
double kv_capacity_tokens(const Launch& launch, const RankMemory& memory);

}  // namespace perfatlas
