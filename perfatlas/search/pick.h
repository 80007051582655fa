// SPDX-License-Identifier: Apache-2.0
// Which of the configurations found are shown first.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace perfatlas {

/// What picking looks at, of one configuration.
struct PickRow {
  std::string_view parallel;  // its kind: the best of each kind is shown; of a disaggregated one, decode's
  double cluster_tokens_per_s_gpu = 0;  // see cluster_throughput
  double tokens_per_s_user = 0;
  double tokens_per_s_gpu = 0;
  double tpot_ms = 0;
  double request_latency_ms = 0;
  double requests_per_s = 0;  // of one replica
  double concurrency = 0;     // requests in flight in one replica
  int replica_gpus = 0;
};

struct PickRules {
  double tpot_ms = 0;  // the limit, unless the whole request is limited
  std::optional<double> request_latency_ms;
  bool strict = false;  // rows beyond the limit are never shown
  size_t top_n = 5;
};

struct Picks {
  std::vector<size_t> rows;     // positions, best first; empty when there is none
  bool limit_exceeded = false;  // no row meets the limit; the closest are shown
};

/// The best row of each kind by cluster throughput, equals by tokens/s/user, among those that meet the limit; best
/// first (equals of a limited request: by its latency). When none meets it and the rules are not strict, all rows take
/// part, nearest to the limit first.
Picks pick_best(std::span<const PickRow> rows, const PickRules& rules);

/// What is asked of a deployment; exactly one member is set.
struct LoadTarget {
  std::optional<double> requests_per_s;
  std::optional<double> concurrency;
};

struct LoadMatch {
  size_t row = 0;
  int replicas = 0;
  int gpus = 0;             // of all replicas
  double served_share = 1;  // of the load; below 1 when the GPUs at hand do not suffice
};

/// For every row that meets the limit, the replicas that serve the load; fewest GPUs first, equals by throughput per
/// GPU. At most rules.top_n. `most_gpus`: no more are at hand. Throws UsageError for a load that no row
/// serves with fewer than 2^31 GPUs.
std::vector<LoadMatch> match_load(std::span<const PickRow> rows, const PickRules& rules,
                                  const LoadTarget& load, std::optional<int> most_gpus = {});

}  // namespace perfatlas
