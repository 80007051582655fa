// SPDX-License-Identifier: Apache-2.0
// What the simulation and the closed form say of published serving measurements.
#pragma once

#include <vector>

#include "perfatlas/estimate/silicon.h"

namespace perfatlas {

enum class StepModel { simulation, closed_form };

struct SiliconModel {
  StepModel step = StepModel::simulation;
  bool launch_known =
      true;  // false: the engines' defaults instead of the launch parameters of silicon_case()
};

/// One answer per run, in order; on all cores. Prices are measured ones where the tables have them, else transferred
/// (HYBRID). The closed form knows no disaggregated pools.
std::vector<estimate::Answer> simulate_silicon(estimate::Session& session,
                                               const std::vector<estimate::SiliconRun>& runs,
                                               const SiliconModel& model);

}  // namespace perfatlas
