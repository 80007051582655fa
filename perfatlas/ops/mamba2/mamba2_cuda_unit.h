// SPDX-License-Identifier: Apache-2.0
// The update of a state by one token as the compiled units of FlashInfer offer it.
#pragma once

#include <span>

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/mamba2/mamba2.h"

namespace perfatlas {

/// Positions in the operands of the recurrence.
enum Mamba2Operand : size_t {
  mamba2_x_at,
  mamba2_dt_at,
  mamba2_a_at,
  mamba2_b_at,
  mamba2_c_at,
  mamba2_d_at,
  mamba2_dt_bias_at,
  mamba2_state_at,
  mamba2_y_at
};

/// Enqueues it on operands of device memory; d and dt_bias are bf16. Throws Error. REQUIRES: one token per sequence.
using LaunchStateUpdate = void(std::span<void* const> operands, const Mamba2& op, Stream stream);

}  // namespace perfatlas
