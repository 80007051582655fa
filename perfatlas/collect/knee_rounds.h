// SPDX-License-Identifier: Apache-2.0
// Steps of a kernel that spread points miss: where audits say that more of them no longer help, sizes between neighbours
// that differ too much are measured, halving each time.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "perfatlas/collect/plan.h"
#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

/// Sizes to measure next along the curves of sites tables (Resolver::sites), at most one per curve: from what the folder's
/// journals hold of the named families, among the cases of the request's full grid.
std::vector<Case> knee_probes(const OpRegistry& ops, const PlanRequest& request,
                              const CollectOptions& options, const std::set<std::string>& families);

/// collect(), then, when a small plan's families of sites tables have come to a plateau above the target, up to eight rounds
/// of knee probes, of at most a tenth of the plan together and within the budget. Returns the sum of all; the plan's own
/// counts are those of the last round.
CollectSummary collect_with_knees(const OpRegistry& ops, PlanRequest request, const CollectOptions& options,
                                  CollectObserver& observer);

}  // namespace perfatlas
