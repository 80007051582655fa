// SPDX-License-Identifier: Apache-2.0
// An estimate for people and for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

#include "perfatlas/estimate/estimate.h"

namespace perfatlas::estimate {

/// Which parts of an estimate to print besides the figures.
struct Detail {
  bool memory = false, time = false, energy = false, source = false;
};

/// none, summary, memory, time, energy, source or all. Throws UsageError listing them.
Detail detail_from_name(std::string_view name);

std::string estimate_text(const Estimate& estimate, const Detail& detail);
/// Everything, whatever the detail.
nlohmann::json estimate_json(const Estimate& estimate);

nlohmann::json cell_json(const Cell& cell);

}  // namespace perfatlas::estimate
