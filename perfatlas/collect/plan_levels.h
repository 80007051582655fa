// SPDX-License-Identifier: Apache-2.0
// How coarse each case of a plan is.
#pragma once

#include <cstdint>
#include <vector>

#include "perfatlas/collect/case_store.h"

namespace perfatlas {

/// Writes levels[i] for each case i of one op: 0 corner, 1 one point per octave, 2 the rest, as Plan describes. Axis
/// values are those found among the op's cases, so a grid clipped by guards has its corners where it was clipped.
/// Needs eight bytes a case while it works. REQUIRES: levels.size() == store.size(); `own` is one of store.ops().
void assign_levels(const CaseStore& store, const CaseStore::OpCases& own, std::vector<uint8_t>& levels);

}  // namespace perfatlas
