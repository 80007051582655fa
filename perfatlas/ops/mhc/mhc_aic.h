// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the curve over tokens of a part, hc_mult and hidden_size, for the two sites of a layer; both parts add up.
std::unique_ptr<const Pricer> bind(const Mhc& op, const Binding& binding);

}  // namespace perfatlas::aic
