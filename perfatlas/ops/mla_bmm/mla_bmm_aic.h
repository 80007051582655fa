// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_mla.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the curve over tokens of the asked heads, or that of the next power of two times the share of heads. Modes
/// without rows are answered from bfloat16 rows, with the speed of light of the asked mode.
std::unique_ptr<const Pricer> bind(const MlaBmm& op, const Binding& binding);

}  // namespace perfatlas::aic
