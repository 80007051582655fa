// SPDX-License-Identifier: Apache-2.0
// How many prefill and decode workers make the best disaggregated replica.
#pragma once

#include <optional>
#include <vector>

namespace perfatlas {

/// One kind of worker: requests per second and GPUs of one of them.
struct WorkerRate {
  double requests_per_s = 0;
  int gpus = 0;
};

struct MatchRules {
  // Queues between the pools keep workers from reaching their own rates. Values of aiconfigurator 0.12.
  double prefill_degradation = 0.90;
  double decode_degradation = 0.92;
  int most_workers = 32;                 // of each kind
  std::vector<int> replica_gpus;         // totals that are allowed, ascending; empty: every total
  std::optional<int> most_prefill_gpus;  // both or neither
  std::optional<int> most_decode_gpus;
};

struct WorkerCounts {
  int prefill = 0;
  int decode = 0;
  bool operator==(const WorkerCounts&) const = default;
};

/// The counts with the most requests per second and GPU; of equals, fewest decode workers, then fewest prefill
/// workers. Nothing when no allowed total can be reached.
std::optional<WorkerCounts> match_workers(const WorkerRate& prefill, const WorkerRate& decode,
                                          const MatchRules& rules);

/// Requests per second of a replica: what the slower pool lets through.
double replica_requests_per_s(const WorkerRate& prefill, const WorkerRate& decode, const WorkerCounts& counts,
                              const MatchRules& rules);

}  // namespace perfatlas
