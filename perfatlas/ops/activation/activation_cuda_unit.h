// SPDX-License-Identifier: Apache-2.0
// Gated activation functions as the compiled units of kernel libraries offer them.
#pragma once

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/activation/activation.h"

namespace perfatlas {

/// Device memory of one launch.
struct ActivationBuffers {
  const void* x = nullptr;
  void* out = nullptr;
};

/// Enqueues silu_mul or gelu_mul. Throws Error. REQUIRES: op.gated().
using LaunchActivation = void(const ActivationBuffers& buffers, const Activation& op, Stream stream);

}  // namespace perfatlas
