// SPDX-License-Identifier: Apache-2.0
// Steps of a kernel that spread points miss: where audits say that more of them no longer help, sizes between
// neighbours that differ too much are measured, halving each time.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "perfatlas/collect/plan.h"
#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

struct KneeProbes {
  std::vector<Case> next;  // largest steps first
  uint64_t measured = 0;   // cases on these curves that are in the journals and not in the plan
};

/// Sizes to measure next along the curves of sites tables (Resolver::sites), at most one per curve: from what the
/// folder's journals hold of the named families, among the cases of the request's full grid. A later run goes on where
/// an earlier one was cut. `plan`: of the request.
KneeProbes knee_probes(const OpRegistry& ops, const PlanRequest& request, const Plan& plan,
                       const CollectOptions& options, const std::set<std::string>& families);

/// collect(), then, when the plan is used up and families of sites tables are still above the target, up to eight
/// rounds of knee probes: the largest steps first, at most a tenth of the plan together (earlier runs' included),
/// within the budget. Returns the sum of all. `plan`: of the request.
CollectSummary collect_with_knees(const OpRegistry& ops, const PlanRequest& request, const Plan& plan,
                                  const CollectOptions& options, CollectObserver& observer);

}  // namespace perfatlas
