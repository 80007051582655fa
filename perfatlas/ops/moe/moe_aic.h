// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_moe.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the curve over tokens of the exact shape, in the asked distribution or, where the mode was not measured in
/// it, "uniform". Small nvfp4 steps use the low-latency kernel where it was measured. Empirical: the shape's own curve;
/// else the nearest shape (xshape), a mode with the same bytes and speed (xquant), a similar mode (xprofile).
std::unique_ptr<const Pricer> bind(const Moe& op, const Binding& binding);

/// The collectives that bring tokens to their experts and back, by framework and parallel layout.
std::unique_ptr<const Pricer> bind(const MoeDispatch& op, const Binding& binding);

}  // namespace perfatlas::aic
