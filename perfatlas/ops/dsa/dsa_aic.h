// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, prefix, isl, batch in context and heads, batch, s in generation. Layers without an indexer
/// count by their share; in the measured modes only where such blocks were measured. Ranks that share a prompt:
/// split_block().
std::unique_ptr<const Pricer> bind(const DsaModule& op, const Binding& binding);

}  // namespace perfatlas::aic
