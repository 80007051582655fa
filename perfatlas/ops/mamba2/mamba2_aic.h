// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_state_space.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Measured: the rows of the shape, else those of the least shape of the model's width, as they are. Single tokens are
/// always at the speed of light: the published estimates never used their rows.
std::unique_ptr<const Pricer> bind(const Mamba2& op, const Binding& binding);

}  // namespace perfatlas::aic
