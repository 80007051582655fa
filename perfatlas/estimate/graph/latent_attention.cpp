// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/graph/latent_attention.h"

namespace perfatlas::estimate {

LatentWidths latent_widths(const HfConfig& config) {
  LatentWidths w;
  const auto read = [&](const char* key, int64_t& width) {
    if (const int64_t written = config.integer_or(key, 0); written > 0) width = written;
  };
  read("q_lora_rank", w.q_lora);
  read("kv_lora_rank", w.kv_lora);
  read("qk_nope_head_dim", w.nope);
  read("qk_rope_head_dim", w.rope);
  read("v_head_dim", w.v);
  return w;
}

ProjectionModes projection_modes(const ExcludedProjections& excluded, aic::QuantMode gemm) {
  const auto mode = [&](bool is_excluded) { return is_excluded ? aic::QuantMode::bfloat16 : gemm; };
  return {.q = mode(excluded.q),
          .kv = mode(excluded.kv),
          .o = mode(excluded.o),
          .indexer = mode(excluded.indexer),
          .downscale = mode(excluded.q && excluded.kv)};
}

}  // namespace perfatlas::estimate
