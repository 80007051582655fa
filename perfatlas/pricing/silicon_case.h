// SPDX-License-Identifier: Apache-2.0
// A published serving measurement as a case to simulate: its columns put right, and how its engine was launched.
#pragma once

#include <optional>
#include <string>

#include "perfatlas/estimate/silicon.h"
#include "perfatlas/serving/prediction.h"

namespace perfatlas {

struct SiliconCase {
  estimate::EstimateRequest request;  // layout and types repaired
  ServingQuestion question;           // without prices and KV capacity
  bool repaired = false;              // the layout of the columns was another
  std::string refusal;                // why nothing honest can be said; empty otherwise
};

/// Rules, each with its evidence in docs/serving-accuracy.md: rows that store tp * ep as tp are put right; more than 8
/// ranks of an aggregated run, or pools without worker counts, are refused; launch parameters are those of the public
/// scripts that made the rows; rows of another tool have constant lengths and unknown launch parameters.
SiliconCase silicon_case(const estimate::SiliconRun& run);

}  // namespace perfatlas
