// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_attention.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, s (square roots blend linearly), batch. A partial rotation costs a pass over queries and
/// keys of its own. Speed of light: 4 b s^2 n h operations; queries, keys, values and outputs at 16 bits, once read and
/// once written.
std::unique_ptr<const Pricer> bind(const EncoderAttention& op, const Binding& binding);

}  // namespace perfatlas::aic
