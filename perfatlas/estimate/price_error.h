// SPDX-License-Identifier: Apache-2.0
// How far the price of an op may be off.
#pragma once

#include <optional>

#include "perfatlas/aic/op.h"
#include "perfatlas/aic/price.h"
#include "perfatlas/interp/estimate.h"

namespace perfatlas::estimate {

/// Relative half-widths that nine of ten measured rows keep when they are left out of their table and predicted by the
/// compatible engine (docs/accuracy.md, h200_sxm; `perfatlas loo` measures them).
struct PriceError {
  double inside = 0;  // between measured points on every axis
  double beyond = 0;  // beyond them
};

/// Ops with a table but without hold-outs of their own get the widest figures among those that have; composed ones the
/// widest of their parts. Nothing for ops that are priced by a formula alone.
std::optional<PriceError> price_error_of(const aic::Op& op);

/// Relative half-width of one price, `kind` being what its measured part rests on: 0 for a measured row itself. Nothing
/// where none is known: for a formula, and for a speed of light, which is a bound and no prediction.
std::optional<double> relative_error(const std::optional<PriceError>& error, const aic::Price& price,
                                     EstimateKind kind);

}  // namespace perfatlas::estimate
