// SPDX-License-Identifier: Apache-2.0
// What families with latent attention read from a configuration.
#pragma once

#include <cstdint>

#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/exclusions.h"
#include "perfatlas/models/hf_config.h"

namespace perfatlas::estimate {

/// Widths of latent attention; those of DeepSeek-V3 where the configuration is silent.
struct LatentWidths {
  int64_t q_lora = 1536, kv_lora = 512, nope = 128, rope = 64, v = 128;
  int64_t downscale() const { return q_lora + kv_lora + rope; }
};

LatentWidths latent_widths(const HfConfig& config);

/// The modes of the projections of a latent attention block: those that the checkpoint excludes run in bfloat16.
struct ProjectionModes {
  aic::QuantMode q, kv, o, indexer, downscale;
  /// One mode for q, kv and o: a table of whole blocks in that mode applies.
  bool uniform() const { return q == kv && kv == o; }
};

ProjectionModes projection_modes(const ExcludedProjections& excluded, aic::QuantMode gemm);

}  // namespace perfatlas::estimate
