// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_moe.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Measured only: other modes have no estimate. The curve over tokens at exactly the asked multiprocessors, else the
/// grid multiprocessors, tokens; beyond it latency grows with the tokens. deepep_ht outside one node at 20
/// multiprocessors is its share of what both phases take together. A group that spans nodes and was not measured is
/// answered from one node.
std::unique_ptr<const Pricer> bind(const MoeAllToAll& op, const Binding& binding);

}  // namespace perfatlas::aic
