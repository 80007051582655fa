// SPDX-License-Identifier: Apache-2.0
// The cases that a request names, before they are put in an order.
#pragma once

#include <cstdint>
#include <vector>

#include "perfatlas/collect/case_store.h"
#include "perfatlas/collect/plan.h"

namespace perfatlas {

/// All cases of a grid; `grid_end[o]`: from this store index on the cases of the o-th op in the store are shapes of
/// models that a small plan adds.
struct PlanCases {
  CaseStore store;
  std::vector<uint32_t> grid_end;
};

/// Cases that make no sense and those that the request leaves out never enter; repeated ones do. Throws what make_plan
/// says of ops.
PlanCases plan_cases(const OpRegistry& registry, const PlanRequest& request);

}  // namespace perfatlas
