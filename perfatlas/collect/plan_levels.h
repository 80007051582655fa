// SPDX-License-Identifier: Apache-2.0
// How coarse each case of a plan is.
#pragma once

#include <cstdint>
#include <vector>

#include "perfatlas/collect/case_store.h"

namespace perfatlas {

/// Writes levels[i] for each i of `cases` (indices of one op): 0 corner, 1 one point per octave, 2 the rest, as Plan
/// describes. Axis values are those found in `cases` themselves, so a grid clipped by guards has its corners where it
/// was clipped. REQUIRES: levels.size() == store.size().
void assign_levels(const CaseStore& store, const std::vector<uint32_t>& cases, std::vector<uint8_t>& levels);

}  // namespace perfatlas
