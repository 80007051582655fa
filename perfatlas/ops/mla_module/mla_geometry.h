// SPDX-License-Identifier: Apache-2.0
// The sizes of a multi-head latent attention block that its model fixes, by architecture: the one table of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "perfatlas/schema/symbol.h"

namespace perfatlas {

/// Sizes in elements. Sources: config.json of deepseek-ai/DeepSeek-V3 and DeepSeek-V3.2-Exp and of zai-org/GLM-5.
struct MlaGeometry {
  std::string_view architecture;  // as config.json names it
  int64_t hidden = 0;             // input and output of the block
  int64_t q_lora = 0;             // compressed query
  int64_t kv_lora = 0;            // compressed key and value: the latent
  int64_t nope = 0;               // of a query or key head, without position
  int64_t rope = 0;               // of a query head, and of the one key that all heads share, with position
  int64_t v = 0;                  // of a value head
  int64_t index_heads = 0;        // lightning indexer of sparse attention; 0: the block is dense
  int64_t index_dim = 0;
  int64_t topk = 0;  // cached tokens that a token attends to at most

  bool sparse() const { return index_heads > 0; }
  int64_t head() const { return nope + rope; }       // of an expanded query or key head
  int64_t latent() const { return kv_lora + rope; }  // of a cached token, and of an absorbed query head
};

/// Every architecture that is known. "TinyMla" and "TinyDsa" are no models: blocks a thousand times smaller, on which
/// every path of a kernel can be compared with a naive reference.
std::span<const MlaGeometry> mla_geometries();

/// Null for an unknown architecture.
const MlaGeometry* find_mla_geometry(Symbol architecture);

}  // namespace perfatlas
