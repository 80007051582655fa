// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/measure/stopping_rule.h"

#include <algorithm>

#include "perfatlas/measure/statistics.h"

namespace perfatlas {

StopDecision judge(const StoppingRule& rule, std::span<const double> samples, double elapsed_s) {
  if (samples.size() < 2) return {};
  if (samples.size() >= rule.min_samples &&
      statistics_of({samples.begin(), samples.end()}).rel_ci95 <= rule.max_noise)
    return {true, StopReason::quiet};
  if (samples.size() >= rule.max_samples) return {true, StopReason::limit};
  if (elapsed_s >= rule.max_time_s) return {true, StopReason::time_up};
  return {};
}

int next_repetitions(const StoppingRule& rule, size_t samples_so_far) {
  const size_t first = std::max<size_t>(rule.min_samples, 2);
  if (samples_so_far < first) return int(first - samples_so_far);
  const size_t left = rule.max_samples > samples_so_far ? rule.max_samples - samples_so_far : 1;
  return int(std::min(samples_so_far, left));
}

}  // namespace perfatlas
