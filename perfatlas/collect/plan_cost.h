// SPDX-License-Identifier: Apache-2.0
// How long cases may take, before any was measured.
#pragma once

#include "perfatlas/collect/plan.h"
#include "perfatlas/hw/system_spec.h"
#include "perfatlas/schema/measured_state.h"

namespace perfatlas {

/// What a case costs besides its launches, for estimates.
struct CostModel {
  double setup_s = 0.002;      // preparing operands and kernel
  double launches = 13;        // warm-ups and samples
  double efficiency = 0.5;     // of speed of light that kernels are expected to reach
  double min_sample_s = 1e-4;  // each sample lasts at least this long
  double max_case_s = 1.0;     // time after which the stopping rule ends a case
};

/// A rough duration of one case; when its speed of light is unknown, of its shortest samples.
double estimated_case_seconds(const Case& c, const SystemSpec& spec, CacheState cache, const CostModel& cost);

/// A rough duration of a plan on one device.
double estimated_seconds(const Plan& plan, const SystemSpec& spec, CacheState cache, const CostModel& cost);

}  // namespace perfatlas
