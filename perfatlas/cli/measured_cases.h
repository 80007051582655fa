// SPDX-License-Identifier: Apache-2.0
// Measures a few cases outside any collection folder, with everything a collection does for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

struct MeasureCases {
  std::vector<Case> cases;
  std::string backend;
  std::string device;  // empty: the back end's default
  MeasureOptions measure;
  std::optional<SystemSpec> system;
};

/// One record per case, in order; a case that got no outcome has outcome failed and says so. Works in a temporary
/// folder that is removed. Throws Error as collect does.
std::vector<CaseRecord> measure_cases(const MeasureCases& request, const OpRegistry& ops);

}  // namespace perfatlas
