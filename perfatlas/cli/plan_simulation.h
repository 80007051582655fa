// SPDX-License-Identifier: Apache-2.0
// plan --simulate: the small plan tried on tables that exist.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct SimulationArguments {
  std::string tables;  // a wheel or a systems folder; empty: no simulation
  std::string system, backend = "trtllm", version;
  std::string family;  // part of the family's name; empty: all
  std::string target_p90;
  std::string svg_folder;
};

void add_simulation_options(CLI::App& verb, SimulationArguments& arguments);

/// Prints the curves of the ops' families, as text or JSON. Throws UsageError: no such system, table or family.
int simulate(const SimulationArguments& arguments, const std::vector<std::string>& op_ids, bool json,
             const OpRegistry& ops);

}  // namespace perfatlas
