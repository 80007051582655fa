// SPDX-License-Identifier: Apache-2.0
// Latent attention as the compiled units of kernel libraries offer it to mla_cuda.cu.
#pragma once

#include <memory>

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// Device memory of one launch, in the layouts of MlaContext::operands() or MlaGeneration::operands(); the new tokens
/// are in the cache already. Context uses k and v, generation the cache and the page table.
struct MlaBuffers {
  void* q = nullptr;
  void* k = nullptr;
  void* v = nullptr;
  void* cache = nullptr;
  int32_t* page_table = nullptr;
  void* out = nullptr;
  void* workspace = nullptr;
};

/// One attention planned for a shape of the unit's types.
class MlaAttention {
 public:
  virtual ~MlaAttention() = default;
  virtual size_t workspace_bytes() const = 0;
  /// Enqueues it. Throws Error.
  virtual void launch(const MlaBuffers& buffers, Stream stream) = 0;
};

/// The factory of every unit of this kind. `device` outlives what it makes. Throws Error when the library refuses.
using MakeMlaAttention = std::unique_ptr<MlaAttention>(const AttentionShape& shape, Device& device);

}  // namespace perfatlas
