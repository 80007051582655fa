// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_geometry.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace perfatlas {
namespace {

constexpr MlaGeometry kGeometries[] = {
    {.architecture = "DeepseekV3ForCausalLM",
     .hidden = 7168,
     .q_lora = 1536,
     .kv_lora = 512,
     .nope = 128,
     .rope = 64,
     .v = 128},
    {.architecture = "DeepseekV32ForCausalLM",
     .hidden = 7168,
     .q_lora = 1536,
     .kv_lora = 512,
     .nope = 128,
     .rope = 64,
     .v = 128,
     .index_heads = 64,
     .index_dim = 128,
     .topk = 2048},
    {.architecture = "GlmMoeDsaForCausalLM",
     .hidden = 6144,
     .q_lora = 2048,
     .kv_lora = 512,
     .nope = 192,
     .rope = 64,
     .v = 256,
     .index_heads = 32,
     .index_dim = 128,
     .topk = 2048},
    // Attention kernels take the latent of the models only, so that the tiny blocks keep it.
    {.architecture = "TinyMla",
     .hidden = 96,
     .q_lora = 48,
     .kv_lora = 512,
     .nope = 128,
     .rope = 64,
     .v = 128},
    {.architecture = "TinyDsa",
     .hidden = 96,
     .q_lora = 48,
     .kv_lora = 512,
     .nope = 24,
     .rope = 64,
     .v = 40,
     .index_heads = 12,
     .index_dim = 80,
     .topk = 64},
};

}  // namespace

std::span<const MlaGeometry> mla_geometries() { return kGeometries; }

const MlaGeometry* find_mla_geometry(Symbol architecture) {
  static const auto kNames = [] {
    std::array<Symbol, std::size(kGeometries)> names;
    for (size_t i = 0; i < names.size(); ++i) names[i] = Symbol(kGeometries[i].architecture);
    return names;
  }();
  const auto found = std::find(kNames.begin(), kNames.end(), architecture);
  return found == kNames.end() ? nullptr : &kGeometries[found - kNames.begin()];
}

}  // namespace perfatlas
