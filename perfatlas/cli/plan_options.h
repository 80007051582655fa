// SPDX-License-Identifier: Apache-2.0
// The options that say which cases: shared by plan and collect.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "perfatlas/collect/plan.h"
#include "perfatlas/models/model.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct PlanOptions {
  std::vector<std::string> ops;
  std::string grid = "model";
  std::vector<std::string> models;
  std::string dtype;
  std::vector<int64_t> tp = {1};
  std::vector<std::string> at_most;  // FIELD=N
  int sm_version = 90;
  std::vector<std::string> case_filters;
  uint64_t limit = 0;
  std::string shard = "1/1";
  uint64_t seed = 42;
  std::string kind = "full";
  std::vector<std::string> shares;  // OP=SHARE
  bool has_prior = false;           // smaller shares; set by verbs that have one
  bool imported_too = false;        // not an option: plan counts what collect cannot measure
};

void add_plan_options(CLI::App& verb, PlanOptions& options);

/// Throws UsageError: unknown op, model or grid, a missing --model, a tensor-parallel degree that fits no model.
/// `measured_here`: the ops a back end has kernels of, to which a plan that names no ops is kept; nothing: all.
PlanRequest plan_request(const PlanOptions& options, const OpRegistry& ops,
                         const std::optional<std::set<std::string>>& measured_here = std::nullopt);
/// make_plan() of that.
Plan plan_from(const PlanOptions& options, const OpRegistry& ops,
               const std::optional<std::set<std::string>>& measured_here = std::nullopt);

/// `dtype` as the type to plan models in; empty: the checkpoint's. Throws UsageError.
ModelOptions model_options(const std::string& dtype);

}  // namespace perfatlas
