// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, prefix, isl, batch in context and heads, batch, s in generation. Layers without an indexer
/// count by their share, where such blocks were measured.
std::unique_ptr<const Pricer> bind(const DsaModule& op, const Binding& binding);

/// The utilisation of DSA blocks at a point, for ops that borrow it; nothing when there is none.
struct DsaUtilisation {
  std::shared_ptr<const Surface> surface;
  bool context = true;
  std::optional<double> at(int64_t heads, const PhasePoint& point) const;
};
DsaUtilisation dsa_utilisation(const DsaModule& like, const Binding& binding);

}  // namespace perfatlas::aic
