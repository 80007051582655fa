// SPDX-License-Identifier: Apache-2.0
// What the simulation and the closed form say of published serving measurements.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/estimate/silicon.h"
#include "perfatlas/serving/prediction.h"

namespace perfatlas {

enum class QueueModel { simulation, closed_form };

struct SiliconModel {
  QueueModel step = QueueModel::simulation;
  bool launch_known =
      true;  // false: the engines' defaults instead of the launch parameters of silicon_case()
};

/// A run's case with its prices, or why it has none.
struct PricedRun {
  std::optional<ServingQuestion> question;
  std::string failure;
};

/// One per run, in order; on all cores. Prices are measured ones where the tables have them, else transferred (HYBRID).
std::vector<PricedRun> price_silicon(estimate::Session& session,
                                     const std::vector<estimate::SiliconRun>& runs, bool launch_known);

/// One answer per run, in order; on all cores. Prices as of price_silicon(). The closed form knows no
/// disaggregated pools.
std::vector<estimate::Answer> simulate_silicon(estimate::Session& session,
                                               const std::vector<estimate::SiliconRun>& runs,
                                               const SiliconModel& model);

}  // namespace perfatlas
