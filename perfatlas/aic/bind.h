// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// The pricer of any op, scale_factor included. REQUIRES: the database outlives it.
std::unique_ptr<const Pricer> bind_op(const Op& op, const Binding& binding);

}  // namespace perfatlas::aic
