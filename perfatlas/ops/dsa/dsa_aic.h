// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, prefix, isl, batch in context and heads, batch, s in generation. Layers without an indexer
/// count by their share; in the measured modes only where such blocks were measured.
std::unique_ptr<const Pricer> bind(const DsaModule& op, const Binding& binding);

/// The utilisation of DSA blocks, for estimates. Context: over (heads, prefix, isl, batch); with a prefix longer than all
/// measured ones that without a prefix, at isl + prefix.
class DsaUtilisation {
 public:
  DsaUtilisation() = default;
  DsaUtilisation(std::shared_ptr<const Surface> surface, bool context, int64_t heads);
  /// Nothing when there is none.
  std::optional<double> at(const PhasePoint& point) const;

 private:
  std::shared_ptr<const Surface> surface_;  // null: no points
  bool context_ = true;
  int64_t heads_ = 0;
  int64_t longest_prefix_ = 0;
  std::optional<UtilisationGrid> unprefixed_;
};
DsaUtilisation dsa_utilisation(const DsaModule& like, const Binding& binding);

}  // namespace perfatlas::aic
