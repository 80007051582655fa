// SPDX-License-Identifier: Apache-2.0
// cuDNN's attention as its compiled unit offers it.
#pragma once

#include <string>

#include "perfatlas/ops/attention/attention_cuda_unit.h"

namespace perfatlas {

/// In a paged cache, or in rows [batch*context_tokens, kv_heads, head_dim], which stand in the place of the caches in
/// PagedAttentionBuffers; then there is no page table.
enum class KeysLie { in_pages, in_rows };

/// The factory of the unit. `device` outlives what it makes. Throws Error when the library refuses.
using MakeCudnnAttention = std::unique_ptr<PagedAttention>(const AttentionShape& shape, KeysLie keys,
                                                           Device& device);
inline constexpr std::string_view kCudnnUnit = "cudnn_attention";

class CudaDevice;

/// Why cuDNN cannot attend in `dtype` with such heads, or empty. What else it refuses it says when it is prepared.
std::string why_no_cudnn_attention(DType dtype, int64_t head_dim, const CudaDevice& device);

}  // namespace perfatlas
