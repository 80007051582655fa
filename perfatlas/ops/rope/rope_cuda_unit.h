// SPDX-License-Identifier: Apache-2.0
// Rotary embedding as the compiled units of kernel libraries offer it.
#pragma once

#include "perfatlas/backends/device.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {

/// Device memory of one launch.
struct RopeBuffers {
  void* q = nullptr;
  void* k = nullptr;
  float* cos_sin = nullptr;
  int32_t* position = nullptr;
};

/// Enqueues it. Throws Error.
using LaunchRope = void(const RopeBuffers& buffers, const Rope& op, Stream stream);

}  // namespace perfatlas
