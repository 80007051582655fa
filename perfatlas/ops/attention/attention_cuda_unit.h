// SPDX-License-Identifier: Apache-2.0
// Paged attention as the compiled units of kernel libraries offer it to attention_cuda.cu.
#pragma once

#include <memory>

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/attention/attention_shape.h"

namespace perfatlas {

/// Device memory of one launch, in the layouts of attention_operands(); the new tokens are in the cache already.
struct PagedAttentionBuffers {
  void* q = nullptr;
  void* k_cache = nullptr;
  void* v_cache = nullptr;
  int32_t* page_table = nullptr;
  void* out = nullptr;
  void* workspace = nullptr;
};

/// One attention planned for a shape, types and head size of which are those the unit was compiled for.
class PagedAttention {
 public:
  virtual ~PagedAttention() = default;
  virtual size_t workspace_bytes() const = 0;
  /// Enqueues it. Throws Error.
  virtual void launch(const PagedAttentionBuffers& buffers, Stream stream) = 0;
};

/// The factory of every unit of this kind. `device` outlives what it makes. Throws Error when the library refuses.
using MakePagedAttention = std::unique_ptr<PagedAttention>(const AttentionShape& shape, Device& device);

}  // namespace perfatlas
