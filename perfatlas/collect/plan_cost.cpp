// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/plan_cost.h"

#include <algorithm>

#include "perfatlas/hw/sol.h"

namespace perfatlas {

double estimated_case_seconds(const Case& c, const SystemSpec& spec, CacheState cache,
                              const CostModel& cost) {
  const auto sol = speed_of_light(c.op->work(c.values), spec, cache);
  const double launch_s = sol ? sol->ms() / 1e3 / cost.efficiency : 0;
  const double measuring = cost.launches * std::max(launch_s, cost.min_sample_s);
  // The time limit ends a case only after its warm-ups and two samples.
  return cost.setup_s + std::min(measuring, std::max(cost.max_case_s, 5 * launch_s));
}

double estimated_seconds(const Plan& plan, const SystemSpec& spec, CacheState cache, const CostModel& cost) {
  double seconds = 0;
  for (size_t i = 0; i < plan.size(); ++i) seconds += estimated_case_seconds(plan.at(i), spec, cache, cost);
  return seconds;
}

}  // namespace perfatlas
