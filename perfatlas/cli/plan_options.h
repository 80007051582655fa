// SPDX-License-Identifier: Apache-2.0
// The options that say which cases: shared by plan and collect.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "perfatlas/collect/plan.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct PlanOptions {
  std::vector<std::string> ops;
  std::string grid = "model";
  std::vector<std::string> models;
  std::vector<int64_t> tp = {1};
  int sm_version = 90;
  std::vector<std::string> case_filters;
  uint64_t limit = 0;
  std::string shard = "1/1";
  uint64_t seed = 42;
};

void add_plan_options(CLI::App& verb, PlanOptions& options);

/// Throws UsageError: unknown op, model or grid, a missing --model, a tensor-parallel degree that fits no model.
Plan plan_from(const PlanOptions& options, const OpRegistry& ops);

}  // namespace perfatlas
