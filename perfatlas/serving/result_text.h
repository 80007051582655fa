// SPDX-License-Identifier: Apache-2.0
// What a simulation found, for people and for machines.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/serving/prediction.h"

namespace perfatlas {

/// Several lines. A saturated run gets its deficit instead of latencies.
std::string prediction_text(const Prediction& prediction);
/// One line per prediction, columns aligned.
std::string comparison_text(const std::vector<Prediction>& predictions);
/// One line of JSON; latencies of a saturated run are null.
std::string prediction_json(const Prediction& prediction);

}  // namespace perfatlas
