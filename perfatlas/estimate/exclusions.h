// SPDX-License-Identifier: Apache-2.0
// Which modules a quantised checkpoint leaves in bfloat16.
#pragma once

#include <string_view>

#include "perfatlas/estimate/checkpoint.h"
#include "perfatlas/estimate/deployment.h"

namespace perfatlas::estimate {

/// Whether a pattern contains `part`, in any case.
bool excludes(const Checkpoint& checkpoint, std::string_view part);

/// The projections of latent attention that are named by a pattern; a pattern for the whole of self_attn names all.
struct ExcludedProjections {
  bool q = false, kv = false, o = false, indexer = false;
};
ExcludedProjections excluded_projections(const Checkpoint& checkpoint);

/// The modes of linear layers where a checkpoint mixes them (Qwen3.5): from the quantisation of its layers, else from
/// the exclusions, else quant.gemm. All quant.gemm when that mode is explicit.
struct LinearModes {
  aic::QuantMode projection, dense, shared_expert;
};
LinearModes linear_modes(const Checkpoint& checkpoint, const QuantModes& quant);

}  // namespace perfatlas::estimate
