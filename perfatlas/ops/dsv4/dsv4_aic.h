// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the grid prefix, isl, batch in context and batch, s in generation, of the model's own number of heads and
/// of the heads of this rank: each the asked one, else the largest below, else the smallest. Ranks that share a prompt:
/// split_block().
std::unique_ptr<const Pricer> bind(const Dsv4Attention& op, const Binding& binding);

}  // namespace perfatlas::aic
