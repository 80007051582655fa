// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_mla.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/ops/mla/mla_aic_sol.h"

namespace perfatlas::aic {

/// Silicon: the grid heads, isl (square roots blend linearly), batch at s + prefix, times the share of the pairs that
/// are new. A context-parallel rank has the head and the tail chunk of the sequence.
std::unique_ptr<const Pricer> bind(const ContextMla& op, const Binding& binding);
/// Silicon: the grid heads, batch, s.
std::unique_ptr<const Pricer> bind(const GenerationMla& op, const Binding& binding);

/// The same two for whole blocks: what a measured surface answers. `why_missing` for a null surface.
struct MlaPricing {
  std::shared_ptr<const Surface> surface;  // null: not measured
  std::string why_missing;
  int64_t num_heads = 0;
  int64_t cp_size = 1;  // context
};
std::unique_ptr<const Pricer> mla_context_pricer(MlaPricing pricing, const MlaPeaks& peaks, Mode mode);
std::unique_ptr<const Pricer> mla_generation_pricer(MlaPricing pricing, const MlaGenerationSol& sol,
                                                    Mode mode);

/// Surfaces over (heads, isl, batch) and (heads, batch, s).
std::shared_ptr<const Surface> mla_context_surface(PointList points, const MlaPeaks& peaks);
std::shared_ptr<const Surface> mla_generation_surface(PointList points, const MlaGenerationSol& sol);

}  // namespace perfatlas::aic
