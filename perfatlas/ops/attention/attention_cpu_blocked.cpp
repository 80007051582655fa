// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_blocked_kernel.h"

namespace perfatlas {

std::unique_ptr<PreparedKernel> make_blocked_attention(const AttentionShape& shape, CpuDevice& device) {
  if (shape.dtype == DType::f32)
    return std::make_unique<BlockedAttention<AttentionMemory<float>>>(shape, device);
  return std::make_unique<BlockedAttention<AttentionMemory<Bf16>>>(shape, device);
}

}  // namespace perfatlas
