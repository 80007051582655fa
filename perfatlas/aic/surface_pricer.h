// SPDX-License-Identifier: Apache-2.0
// Ops that are asked at one place of one measured slice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

struct SurfaceQuestion {
  std::shared_ptr<const Surface> surface;  // null: not measured
  std::string why_missing;                 // then
  std::function<Coordinates(const PhasePoint&)> place;
  std::function<SolParts(const PhasePoint&)> sol;
  /// What of the slice's answer counts at a point: the new pairs of a context with a prefix, say. Null: all.
  std::function<double(const PhasePoint&)> share;
  /// What estimates divide by. Null: the utilisation of the surface at the place.
  std::function<std::optional<double>(const PhasePoint&)> utilisation;
  /// Milliseconds of the slice's answer that do not count at a point. Null: none.
  std::function<double(const PhasePoint&)> excess_ms;
};

/// Silicon: the surface at the place, times the share, less the excess (never below zero). Empirical: the speed of
/// light over the utilisation there.
std::unique_ptr<const Pricer> surface_pricer(SurfaceQuestion question, Mode mode);

/// A context-parallel rank's head and tail chunk of the sequence, each priced alone.
std::unique_ptr<const Pricer> zigzag_pricer(std::unique_ptr<const Pricer> whole, int64_t cp_size);

}  // namespace perfatlas::aic
