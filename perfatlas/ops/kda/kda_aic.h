// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_state_space.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Measured: the rows of the model's width with the nearest number of value heads, as they are; the other sizes are not
/// looked at. Verification of no drafts is at the speed of light.
std::unique_ptr<const Pricer> bind(const Kda& op, const Binding& binding);

}  // namespace perfatlas::aic
