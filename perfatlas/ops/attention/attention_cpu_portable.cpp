// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cpu_portable_kernel.h"

namespace perfatlas {

std::unique_ptr<PreparedKernel> make_portable_attention(const AttentionShape& shape, CpuDevice& device) {
  const int threads = device.threads();
  if (shape.dtype == DType::f32)
    return std::make_unique<PortableAttention<AttentionMemory<float>>>(shape, threads);
  return std::make_unique<PortableAttention<AttentionMemory<Bf16>>>(shape, threads);
}

}  // namespace perfatlas
