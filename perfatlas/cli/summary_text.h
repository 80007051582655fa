// SPDX-License-Identifier: Apache-2.0
// What collect prints at its end.
#pragma once

#include <string>

#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

/// Counts per outcome, noise, drift, failures with their repro lines, and what to type next. `others_share`: of the
/// processors' time, used by other programs meanwhile (OtherPrograms).
std::string collect_summary_text(const CollectSummary& summary, const std::string& folder,
                                 double others_share);

/// The same as one JSON object.
std::string collect_summary_json(const CollectSummary& summary, double others_share);

}  // namespace perfatlas
