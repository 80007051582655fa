// SPDX-License-Identifier: Apache-2.0
// What the CPU kernels of the Mamba-2 recurrence share.
#pragma once

#include <memory>
#include <span>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {

/// The operands of one launch of the recurrence, typed; bf16 as stored.
struct Mamba2Memory {
  explicit Mamba2Memory(std::span<void* const> operands)
      : x(static_cast<const uint16_t*>(operands[0])),
        dt(static_cast<const uint16_t*>(operands[1])),
        a(static_cast<const float*>(operands[2])),
        b(static_cast<const uint16_t*>(operands[3])),
        c(static_cast<const uint16_t*>(operands[4])),
        d(static_cast<const float*>(operands[5])),
        dt_bias(static_cast<const float*>(operands[6])),
        state(static_cast<float*>(operands[7])),
        y(static_cast<uint16_t*>(operands[8])) {}

  const uint16_t *x, *dt;
  const float* a;
  const uint16_t *b, *c;
  const float *d, *dt_bias;
  float* state;
  uint16_t* y;
};

/// softplus(dt_raw + dt_bias) of one head, with dt_raw as stored.
float mamba2_time_step(uint16_t dt_raw, float dt_bias);

/// Token by token with the state of a head in the nearest cache. Both phases.
/// The vector form REQUIRES AVX-512 with its bf16 extension.
std::unique_ptr<PreparedKernel> make_vector_mamba2(const Mamba2& op, CpuDevice& device);
std::unique_ptr<PreparedKernel> make_portable_mamba2(const Mamba2& op, CpuDevice& device);

/// Chunk by chunk with oneDNN matmuls: state space duality. REQUIRES: context; AVX-512 with its bf16 extension.
std::unique_ptr<PreparedKernel> make_chunked_mamba2(const Mamba2& op, CpuDevice& device);

}  // namespace perfatlas
