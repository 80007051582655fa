// SPDX-License-Identifier: Apache-2.0
// What the CPU kernels of the gated delta rule share.
#pragma once

#include <memory>
#include <span>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {

/// The operands of one launch of the delta rule, typed; bf16 as stored.
struct GdnMemory {
  explicit GdnMemory(std::span<void* const> operands)
      : q(static_cast<const uint16_t*>(operands[0])),
        k(static_cast<const uint16_t*>(operands[1])),
        v(static_cast<const uint16_t*>(operands[2])),
        g(static_cast<const float*>(operands[3])),
        beta(static_cast<const uint16_t*>(operands[4])),
        state(static_cast<float*>(operands[5])),
        o(static_cast<uint16_t*>(operands[6])) {}

  const uint16_t *q, *k, *v;
  const float* g;
  const uint16_t* beta;
  float* state;
  uint16_t* o;
};

/// Token by token with the state of a head in a near cache. Both phases.
/// The vector form REQUIRES AVX-512 with its bf16 extension.
std::unique_ptr<PreparedKernel> make_vector_gdn(const Gdn& op, CpuDevice& device);
std::unique_ptr<PreparedKernel> make_portable_gdn(const Gdn& op, CpuDevice& device);

/// Chunk by chunk with oneDNN matmuls. REQUIRES: context; AVX-512 with its bf16 extension.
std::unique_ptr<PreparedKernel> make_chunked_gdn(const Gdn& op, CpuDevice& device);

}  // namespace perfatlas
