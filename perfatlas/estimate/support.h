// SPDX-License-Identifier: Apache-2.0
// Where a model can be estimated: answered by asking for every price that a configuration needs.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/estimate/session.h"

namespace perfatlas::estimate {

struct SupportQuestion {
  std::string model;
  std::vector<std::string> systems;   // empty: all with tables
  std::vector<Framework> frameworks;  // empty: all with tables
  std::string version;                // empty: the current one of each
  aic::ViewOptions view;
};

/// One system, framework and version.
struct SupportAnswer {
  std::string system;
  Framework framework = Framework::trtllm;
  std::string version;
  bool aggregated = false, disaggregated = false;
  std::string split;    // the smallest that works: "tp4pp1dp1etp1ep4"; empty without one
  std::string missing;  // what the smallest split that fits lacks, in one line; empty when both modes work
};

/// Splits of up to one node are tried, smallest first, with short requests. In the order of systems and frameworks.
std::vector<SupportAnswer> support_of(Session& session, const SupportQuestion& question);

}  // namespace perfatlas::estimate
