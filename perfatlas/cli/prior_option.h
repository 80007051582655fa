// SPDX-License-Identifier: Apache-2.0
// --prior SYSTEM/BACKEND/VERSION: placed tables as the first guess of a small plan.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/hw/system_spec.h"
#include "perfatlas/points/prior_table.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// Old tables and the machine they were measured on, which they refer to.
struct LoadedPrior {
  std::shared_ptr<const SystemSpec> system;  // null: unknown, then the prior is not scaled
  PriorTables tables;
};

/// Reads the tables of the named ops that DATA/SYSTEM/BACKEND/VERSION has. Throws UsageError: the text is not of that
/// form, there is no such folder, it has none of the ops, or a table was measured by another revision of its op, whose
/// rows mean something else.
LoadedPrior load_prior(const std::string& data_root, const std::string& name,
                       const std::vector<const OpType*>& ops);

/// "gemm bfloat16: 212 points, 63 % within 5 % of the prior; median x 0.97, the rest p90 4.1 %" per family, one line
/// each; from the rows of a collection folder.
std::string prior_changes_text(const LoadedPrior& prior, const std::string& folder, const OpRegistry& ops);

}  // namespace perfatlas
