// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_state_space.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// The shape of keys with the nearest d_model, which the kernels do not see; values have as many heads.
std::unique_ptr<const Pricer> bind(const Kda& op, const Binding& binding);

}  // namespace perfatlas::aic
