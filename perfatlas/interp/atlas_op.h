// SPDX-License-Identifier: Apache-2.0
// The engine "atlas" for ops as they are declared: their work as speed of light along the axes.
#pragma once

#include "perfatlas/interp/atlas_law.h"
#include "perfatlas/interp/slice.h"

namespace perfatlas {

/// Bytes charged to the last-level cache count as traffic, too: work is what is moved, wherever it is found.
SolParts sol_parts(const OpType& op, const FieldValues& values, const SolContext& context);

/// The op's speed of light at integer positions, all fields off the axes as in `prototype`; `points` say where it will
/// mostly be asked. Empty when the machine is unknown. REQUIRES: op and system outlive it.
SolLaw sol_law(const OpType& op, const FieldValues& prototype, const SolContext& context,
               std::span<const MeasuredPoint> points);

}  // namespace perfatlas
