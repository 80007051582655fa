// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/match.h"

#include <algorithm>

namespace perfatlas {

double replica_requests_per_s(const WorkerRate& prefill, const WorkerRate& decode, const WorkerCounts& counts,
                              const MatchRules& rules) {
  return std::min(prefill.requests_per_s * counts.prefill * rules.prefill_degradation,
                  decode.requests_per_s * counts.decode * rules.decode_degradation);
}

std::optional<WorkerCounts> match_workers(const WorkerRate& prefill, const WorkerRate& decode,
                                          const MatchRules& rules) {
  const bool capped = rules.most_prefill_gpus && rules.most_decode_gpus;
  const auto allowed = [&](const WorkerCounts& counts) {
    const int prefill_gpus = prefill.gpus * counts.prefill, decode_gpus = decode.gpus * counts.decode;
    if (capped && (prefill_gpus > *rules.most_prefill_gpus || decode_gpus > *rules.most_decode_gpus))
      return false;
    return rules.replica_gpus.empty() ||
           std::binary_search(rules.replica_gpus.begin(), rules.replica_gpus.end(),
                              prefill_gpus + decode_gpus);
  };
  std::optional<WorkerCounts> best;
  double best_rate = 0;
  for (int d = 1; d <= rules.most_workers; ++d)
    for (int p = 1; p <= rules.most_workers; ++p) {
      const WorkerCounts counts{p, d};
      if (!rules.replica_gpus.empty() && prefill.gpus * p + decode.gpus * d > rules.replica_gpus.back())
        break;
      if (!allowed(counts)) continue;
      const double rate =
          replica_requests_per_s(prefill, decode, counts, rules) / (prefill.gpus * p + decode.gpus * d);
      if (rate > best_rate) {
        best_rate = rate;
        best = counts;
      }
    }
  return best;
}

}  // namespace perfatlas
