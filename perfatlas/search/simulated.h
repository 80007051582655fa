// SPDX-License-Identifier: Apache-2.0
// The scheduler simulation as the judge of a search.
#pragma once

#include "perfatlas/search/sweep_impl.h"

namespace perfatlas {

/// Targets for the sweep before it: so loose in TTFT that the formulas, which are often several times too high or too
/// low, leave the decision to the simulation.
std::vector<LatencyTarget> loosened(std::vector<LatencyTarget> targets);

/// Replaces the figures of experiment.found by simulated ones: as many users as the workers take at once, in a closed
/// loop, with the nominal lengths. Rows that the closed form puts far beyond the limits are dropped without a
/// simulation, then those whose simulated TTFT is beyond its limit. Disaggregated rows: the best by the formulas only.
/// Throws UsageError for what the simulation does not know: cached prefixes, drafted tokens.
void judge_by_simulation(const SweepContext& context, Experiment& experiment);

}  // namespace perfatlas
