// SPDX-License-Identifier: Apache-2.0
// How many cases of what a plan has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perfatlas/collect/plan.h"

namespace perfatlas {

/// Number of cases per op and value of its first exact enumeration field (its dtype).
struct PlanCount {
  std::string op;
  std::string dtype;  // empty when the op has no such field
  uint64_t cases = 0;
  bool operator==(const PlanCount&) const = default;
};
std::vector<PlanCount> plan_summary(const Plan& plan);

/// [{"op": ..., "dtype": ..., "cases": ...}] on one line.
std::string plan_json(const std::vector<PlanCount>& counts);

}  // namespace perfatlas
